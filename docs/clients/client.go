// Recommendations by net/http: go run client.go text 'garden table' | go run client.go vector '[0.01, -0.12, ...]'
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
	"time"
)

type object = map[string]any

type point struct {
	ID      json.RawMessage
	Score   float64
	Payload struct{ ID, Title string }
}

var httpClient = http.Client{Timeout: 5 * time.Second}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// ask sends a request to Qdrant and decodes the result into answer.
func ask(method, path string, body, answer any) error {
	sent, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(method, env("QDRANT_URL", "http://localhost:6333")+path, bytes.NewReader(sent))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("api-key", os.Getenv("QDRANT_API_KEY"))
	response, err := httpClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		reason, _ := io.ReadAll(response.Body)
		return fmt.Errorf("%s: %s", response.Status, reason)
	}
	return json.NewDecoder(response.Body).Decode(&struct{ Result any }{answer})
}

// liveCollection is asked by its own name: the alias may move on between two requests.
func liveCollection(alias string) (string, error) {
	var found struct {
		Aliases []struct {
			Alias      string `json:"alias_name"`
			Collection string `json:"collection_name"`
		}
	}
	if err := ask("GET", "/aliases", nil, &found); err != nil {
		return "", err
	}
	for _, entry := range found.Aliases {
		if entry.Alias == alias {
			return entry.Collection, nil
		}
	}
	return "", fmt.Errorf("nothing is published under %s", alias)
}

func search(collection string, query object) ([]point, error) {
	query["limit"], query["with_payload"] = 10, []string{"id", "title"}
	query["params"] = object{"quantization": object{"rescore": true, "oversampling": 2.0}}
	var found struct{ Points []point }
	err := ask("POST", "/collections/"+collection+"/points/query", query, &found)
	return found.Points, err
}

// byText recommends for a query that is known; others need their vector. Beyond ASCII, texts are in NFKC and
// case-folded: golang.org/x/text/unicode/norm and golang.org/x/text/cases do that.
func byText(alias, text string) ([]point, error) {
	live, err := liveCollection(alias)
	if err != nil {
		return nil, err
	}
	normal := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	same := object{"key": "text", "match": object{"value": normal}}
	wanted := object{"filter": object{"must": []object{same}}, "limit": 1, "with_payload": false}
	var known struct{ Points []point }
	if err := ask("POST", "/collections/"+live+"-queries/points/scroll", wanted, &known); err != nil {
		return nil, err
	}
	if len(known.Points) == 0 {
		return nil, fmt.Errorf("no known query: %s", text)
	}
	return search(live, object{"query": known.Points[0].ID, "lookup_from": object{"collection": live + "-queries"}})
}

func main() {
	alias, kind, query := env("RECSYS_ALIAS", "recsys"), os.Args[1], os.Args[2]
	points, err := []point(nil), error(nil)
	if kind == "text" {
		points, err = byText(alias, query)
	} else {
		points, err = search(alias, object{"query": json.RawMessage(query)})
	}
	if err != nil {
		log.Fatal(err)
	}
	for _, point := range points {
		fmt.Println(point.Payload.ID)
	}
}
