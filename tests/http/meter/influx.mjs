// Writes with InfluxDB's client of npm: node influx.mjs URL KEY. The packages are in TEST_INFLUX_CLIENTS.

import { createRequire } from "node:module";

const require = createRequire(`${process.env.TEST_INFLUX_CLIENTS}/`);
const { InfluxDB, Point, HttpError } = require("@influxdata/influxdb-client");

const [url, token] = process.argv.slice(2);
const influx = new InfluxDB({ url, token });

async function write(gzipThreshold, points) {
  const api = influx.getWriteApi("home", "npm", "ms", { gzipThreshold, maxRetries: 0 });
  api.writePoints(points);
  await api.close();
}

const room = (temperature, at) =>
  new Point("home").tag("room", "Living Room, 1=2").floatField("temperature", temperature).timestamp(at);

await write(1, [room(21.5, 1795262400000), room(0.1 + 0.2, 1795262401000)]);
await write(1e6, [new Point("home").intField("people", 3).booleanField("light", true).stringField("who", '"x"')
  .timestamp(1795262400000)]);

let told;
const writeFailed = async (error) => {
  told = error;
};
const bad = influx.getWriteApi("home", "npm", "ms", { maxRetries: 0, writeFailed });
bad.writeRecords(["home f=1 1795262400000", "home nonsense"]);
await bad.close();
if (!(told instanceof HttpError) || told.statusCode !== 400 || !told.message.includes("line 2")) {
  throw new Error(`a partial write is told as ${told}`);
}
