// Vectors of texts from what `recsys export encoder --format numpy` wrote: node encoder.mjs DIR TEXT...
// For tokenizers of BERT's kind (lower-casing WordPiece), which the default encoder has; no packages needed.
import { readFileSync } from "node:fs";

export function openEncoder(directory) {
  const read = (name) => readFileSync(`${directory}/${name}`);
  const { file, width, prompt, normalise, suffix } = JSON.parse(read("encoder.json"));
  const { model, added_tokens } = JSON.parse(read("tokenizer.json"));
  const vocabulary = new Map(Object.entries(model.vocab));
  const special = new RegExp(`(${added_tokens.map((t) => t.content.replace(/\W/g, "\\$&")).join("|")})`);
  const npy = read(file), start = 10 + npy.readUInt16LE(8);
  const table = new Float32Array(npy.buffer.slice(npy.byteOffset + start, npy.byteOffset + npy.length));

  const words = (text) => [...text.replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]|\ufffd/gu, "").replace(HAN, " $& ").normalize("NFD").replace(/\p{Mn}/gu, "")]
    .map((c) => c.toLowerCase()).join("").match(/[!-/:-@[-`{-~]|\p{P}|[^\s\p{P}!-/:-@[-`{-~]+/gu) ?? [];
  const pieces = (word) => {
    const chars = [...word], ids = [];
    for (let from = 0, to; from < chars.length && chars.length <= model.max_input_chars_per_word; from = to) {
      const piece = () => vocabulary.get((from ? model.continuing_subword_prefix : "") + chars.slice(from, to).join(""));
      for (to = chars.length; to > from && piece() === undefined; to--);
      if (to === from) return [vocabulary.get(model.unk_token)];
      ids.push(piece());
    }
    return ids.length ? ids : [vocabulary.get(model.unk_token)];
  };
  return (text) => {
    const ids = (prompt + text).split(special).flatMap((t, i) => (i % 2 ? [vocabulary.get(t)] : words(t).flatMap(pieces)));
    const sum = Float64Array.from({ length: width }, (_, d) => ids.reduce((s, id) => s + table[id * width + d], 0));
    const norm = normalise ? Math.hypot(...sum) : ids.length;
    return norm ? [...sum.map((x) => x / norm), ...suffix] : Array(width + suffix.length).fill(0);
  };
}
const HAN = /[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u{20000}-\u{2a6df}\u{2a700}-\u{2b81f}\u{2b920}-\u{2ceaf}\u{2f800}-\u{2fa1f}]/gu;

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const [directory, ...texts] = process.argv.slice(2);
  console.log(JSON.stringify(texts.map(openEncoder(directory))));
}
