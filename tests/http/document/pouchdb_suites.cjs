// What PouchDB's suites have to know of steward: a database is a collection of an organization, whose name is in lower
// case, and COUCH_HOST ends where that name begins. Loaded after their own node.setup.js.
const { adapterUrl } = testUtils;
testUtils.adapterUrl = (adapter, name) =>
  adapter === "http" ? testUtils.couchHost() + name.toLowerCase() : adapterUrl(adapter, name);
// Asks whether functions of design documents that validate others are executed.
testUtils.isCouchDB = (callback) => callback(false);
