// Recommendations by java.net.http: java Client.java text 'garden table' | java Client.java vector '[0.01, -0.12, ...]'
// Java reads no JSON by itself. Patterns stand in for a library here, so that this is all there is to run.

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.text.Normalizer;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

public class Client {
    static final String URL = env("QDRANT_URL", "http://localhost:6333");
    static final String ALIAS = env("RECSYS_ALIAS", "recsys");
    static final HttpClient HTTP = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(5)).build();
    static final String SEARCH = "\"limit\": 10, \"with_payload\": [\"id\"], "
            + "\"params\": {\"quantization\": {\"rescore\": true, \"oversampling\": 2.0}}";

    static String env(String name, String otherwise) {
        String value = System.getenv(name);
        return value == null || value.isEmpty() ? otherwise : value;
    }

    static String ask(String path, String body) throws Exception {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(URL + path)).timeout(Duration.ofSeconds(5))
                .header("Content-Type", "application/json").header("api-key", env("QDRANT_API_KEY", ""));
        request = body == null ? request.GET() : request.POST(HttpRequest.BodyPublishers.ofString(body));
        HttpResponse<String> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
        if (answer.statusCode() != 200) throw new IllegalStateException(answer.statusCode() + ": " + answer.body());
        return answer.body();
    }

    /** Asked by its own name: the alias may move on between two requests. */
    static String liveCollection() throws Exception {
        for (String entry : all("\\{[^{}]*\"alias_name\"[^{}]*\\}", ask("/aliases", null))) {
            if (text("alias_name", entry).equals(List.of(ALIAS))) return text("collection_name", entry).get(0);
        }
        throw new IllegalStateException("nothing is published under " + ALIAS);
    }

    /** For a query that is known; others need their vector. */
    static List<String> byText(String text) throws Exception {
        String live = liveCollection(), queries = live + "-queries";
        String same = "{\"key\": \"text\", \"match\": {\"value\": " + quote(normalise(text)) + "}}";
        String wanted = "{\"filter\": {\"must\": [" + same + "]}, \"limit\": 1, \"with_payload\": false}";
        List<String> known = all("(?<=\"id\":)\\d+", ask("/collections/" + queries + "/points/scroll", wanted));
        if (known.isEmpty()) throw new IllegalStateException("no known query: " + text);
        return search(live, known.get(0) + ", \"lookup_from\": {\"collection\": " + quote(queries) + "}");
    }

    static List<String> search(String collection, String query) throws Exception {
        return text("id", ask("/collections/" + collection + "/points/query", "{\"query\": " + query + ", " + SEARCH + "}"));
    }

    /** NFKC, single blanks, and case-folded: upper case first makes ß into ss, and letter by letter ς into σ. */
    static String normalise(String text) {
        String upper = Normalizer.normalize(text, Normalizer.Form.NFKC).toUpperCase(Locale.ROOT);
        String folded = upper.codePoints().map(Character::toLowerCase)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append).toString();
        return folded.replaceAll("(?U)\\s+", " ").strip();
    }

    static List<String> all(String pattern, String json) {
        return Pattern.compile(pattern).matcher(json).results().map(MatchResult::group).collect(Collectors.toList());
    }

    /** The strings under a key, wherever they are. */
    static List<String> text(String key, String json) {
        List<String> found = all("(?<=\"" + key + "\":)\"(?:[^\"\\\\]|\\\\.)*\"", json);
        return found.stream().map(quoted -> quoted.substring(1, quoted.length() - 1)
                .replaceAll("\\\\([\"\\\\/])", "$1")).collect(Collectors.toList());
    }

    static String quote(String text) {
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }

    public static void main(String[] arguments) throws Exception {
        List<String> ids = arguments[0].equals("text") ? byText(arguments[1]) : search(ALIAS, arguments[1]);
        ids.forEach(System.out::println);
    }
}
