// Two PouchDBs that edit the same documents offline, and sync with a collection of steward's now and then, in whatever
// order. At the end all three have the same documents, with the same winners and the same conflicts.
//
//   node pouchdb.mjs URL SEED ROUNDS
//
// URL is that of the database, with an API key as the password. The folder TEST_POUCHDB has node_modules with pouchdb
// and pouchdb-adapter-memory. Prints the documents as JSON.
import assert from "node:assert/strict";
import { createRequire } from "node:module";

const require = createRequire(`${process.env.TEST_POUCHDB}/`);
const PouchDB = require("pouchdb");
PouchDB.plugin(require("pouchdb-adapter-memory"));

const [url, seed, rounds] = process.argv.slice(2);
// Numerical Recipes' generator: the same edits for the same seed.
let state = Number(seed) >>> 0;
const below = (limit) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
};

const remote = new PouchDB(url, { skip_setup: true });
const clients = [0, 1].map((number) => new PouchDB(`client-${number}`, { adapter: "memory" }));
let edits = 0;
const ids = ["a", "b/c", "ä d", "e%2Ff"];

async function edit(client, number, round) {
  const _id = ids[below(ids.length)];
  const found = await client.get(_id, { conflicts: true }).catch((error) => {
    if (error.status !== 404) throw error;
  });
  if (found?._conflicts && below(3) === 0) {
    const loser = found._conflicts[below(found._conflicts.length)];
    await client.remove(_id, loser);
  } else if (found && below(5) === 0) {
    await client.remove(_id, found._rev);
  } else {
    const document = { _id, by: number, round, text: `${number}-${round}-${below(1000)}` };
    if (found) document._rev = found._rev;
    // Those that are there stay, go or are joined by another one.
    if (found?._attachments && below(3) > 0) document._attachments = found._attachments;
    if (below(2) === 0) {
      const data = Buffer.from(`${document.text} ${"x".repeat(below(3000))}`).toString("base64");
      // No two edits write the same name: of a conflict that has lost, PouchDB fetches what the winner has of that name.
      edits += 1;
      const name = [`${edits}.txt`, `dir/g ${edits}.bin`][below(2)];
      const attachment = { content_type: "text/plain", data };
      document._attachments = { ...document._attachments, [name]: attachment };
    }
    await client.put(document);
  }
}

async function sync(client) {
  const result = await client.sync(remote, { batch_size: 1 + below(5) });
  assert.deepEqual([...result.push.errors, ...result.pull.errors], []);
}

/** The files of a leaf, as they are. */
async function files(database, id, rev, attachments = {}) {
  const files = {};
  for (const name of Object.keys(attachments).sort()) {
    const bytes = await database.getAttachment(id, name, { rev });
    files[name] = `${attachments[name].digest} ${bytes.toString("base64")}`;
  }
  return files;
}

/** Every leaf of every document that is not deleted. */
async function leaves(database) {
  const all = await database.allDocs({ include_docs: true, conflicts: true });
  const documents = {};
  for (const { id, doc } of all.rows) {
    const losers = {};
    for (const rev of doc._conflicts ?? []) {
      const loser = await database.get(id, { rev });
      losers[rev] = { text: loser.text, files: await files(database, id, rev, loser._attachments) };
    }
    documents[id] = {
      rev: doc._rev,
      text: doc.text,
      files: await files(database, id, doc._rev, doc._attachments),
      losers,
    };
  }
  return documents;
}

for (let round = 0; round < Number(rounds); round += 1) {
  for (const [number, client] of clients.entries()) {
    for (let more = below(4); more > 0; more -= 1) await edit(client, number, round);
    if (below(3) === 0) await sync(client);
  }
}
for (const client of [...clients, ...clients]) await sync(client);

const [one, other, steward] = await Promise.all([...clients, remote].map(leaves));
assert.deepEqual(one, other, "the clients");
assert.deepEqual(steward, one, "steward and a client");
console.log(JSON.stringify(steward));
