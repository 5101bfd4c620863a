// Makes one match with the types that openapi-typescript generated: match.ts BASE_URL. Prints the verdict of each trial as JSON.
import createClient from "openapi-fetch";
import type { components, paths } from "./matching.d.ts";

const patient: components["schemas"]["Patient"] = {
  as_of: "2025-11-22",
  birth_date: "2021-12-20",
  sex: "male",
  facts: [{ id: "diagnosis", kind: "condition", codes: ["ORPHA:98896"] }],
};
const client = createClient<paths>({ baseUrl: process.argv[2] });
const { data, error } = await client.POST("/matching/v1/match", { body: patient });
if (error !== undefined) {
  throw new Error(`${error.code}: ${error.detail ?? error.title}`);
}
const verdicts: Record<string, string> = {};
for (const result of data.results) {
  verdicts[result.trial] = result.verdict ?? "";
}
console.log(JSON.stringify(verdicts));
