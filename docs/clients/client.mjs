// Recommendations by Qdrant's client (npm install @qdrant/js-client-rest):
// node client.mjs text 'garden table' | node client.mjs vector '[0.01, -0.12, ...]'
import { QdrantClient } from "@qdrant/js-client-rest";

const { QDRANT_URL: url = "http://localhost:6333", QDRANT_API_KEY: apiKey, RECSYS_ALIAS: alias = "recsys" } = process.env;
const client = new QdrantClient({ url, apiKey, timeout: 5000, checkCompatibility: false });
const search = {
  limit: 10,
  with_payload: ["id", "title"],
  params: { quantization: { rescore: true, oversampling: 2.0 } },
};

// Asked by its own name: the alias may move on between two requests.
async function liveCollection() {
  const { aliases } = await client.getAliases();
  return aliases.find((entry) => entry.alias_name === alias).collection_name;
}

// NFKC, single blanks, and case-folded: upper case first makes ß into ss, and letter by letter ς into σ.
function normalise(text) {
  const folded = [...text.normalize("NFKC").toUpperCase()].map((letter) => letter.toLowerCase()).join("");
  return folded.split(/\s+/).filter(Boolean).join(" ");
}

// For a query that is known; others need their vector.
export async function byText(text) {
  const live = await liveCollection(), queries = `${live}-queries`;
  const filter = { must: [{ key: "text", match: { value: normalise(text) } }] };
  const { points } = await client.scroll(queries, { filter, limit: 1, with_payload: false });
  if (!points.length) throw new Error(`no known query: ${text}`);
  return (await client.query(live, { ...search, query: points[0].id, lookup_from: { collection: queries } })).points;
}

export async function byVector(vector) {
  return (await client.query(alias, { ...search, query: vector })).points;
}

const [kind, query] = process.argv.slice(2);
for (const { payload } of await (kind === "text" ? byText(query) : byVector(JSON.parse(query)))) console.log(payload.id);
