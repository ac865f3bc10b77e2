#!/usr/bin/env bash
# Recommendations by curl and jq: client.sh text 'garden table' | client.sh vector '[0.01, -0.12, ...]'
# A known text is asked for in its normal form (NFKC, case-folded, single blanks); other texts need their vector.
set -euo pipefail
url=${QDRANT_URL:-http://localhost:6333} alias=${RECSYS_ALIAS:-recsys}
qdrant() { curl -sS --fail-with-body --max-time 5 -H "api-key: ${QDRANT_API_KEY:-}" -H 'Content-Type: application/json' "$url/$@"; }

# asked by its own name: the alias may move on between two requests
live=$(qdrant aliases | jq -er --arg alias "$alias" '.result.aliases[] | select(.alias_name == $alias).collection_name')
search='{limit: 10, with_payload: ["id", "title"], params: {quantization: {rescore: true, oversampling: 2.0}}}'

if [ "$1" = text ]; then
  wanted=$(jq -n --arg text "$2" '{filter: {must: [{key: "text", match: {value: $text}}]}, limit: 1, with_payload: false}')
  point=$(qdrant "collections/$live-queries/points/scroll" -d "$wanted" | jq '.result.points[0].id // empty')
  [ -n "$point" ] || { echo "no known query: $2" >&2; exit 1; }
  body=$(jq -n --argjson point "$point" --arg queries "$live-queries" "$search + {query: \$point, lookup_from: {collection: \$queries}}")
else
  body=$(jq -n --argjson vector "$2" "$search + {query: \$vector}")
fi
qdrant "collections/$live/points/query" -d "$body" | jq -r '.result.points[].payload.id'
