// Verdicts of ajv. Arguments: the schemas' files. Standard input, a line each: [name of a schema's file, instance].
// Standard output, a line each: true or false.
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { createInterface } from "node:readline";
import Ajv2020 from "ajv/dist/2020.js";

const validators = new Map();
for (const file of process.argv.slice(2)) {
  const ajv = new Ajv2020.default({ code: { optimize: false }, strictTypes: false, strictTuples: false, strictRequired: false });
  validators.set(basename(file), ajv.compile(JSON.parse(readFileSync(file, "utf8"))));
}
for await (const line of createInterface({ input: process.stdin })) {
  const [name, instance] = JSON.parse(line);
  process.stdout.write(`${validators.get(name)(instance)}\n`);
}
