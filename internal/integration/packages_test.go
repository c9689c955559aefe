package integration

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/eryx-build/eryx"
	"github.com/eryx-build/eryx/bundle/build"
	"github.com/eryx-build/eryx/internal/testbundle"
	wheelbuild "github.com/eryx-build/eryx/wheels/build"
	"github.com/eryx-build/eryx/wheels/resolve"
)

// packagesUsed are packages as users ask for them, and what a script makes of
// each. Versions are pinned so that the test does not change with the day; what
// they depend on is left to the resolver, markupsafe below jinja2 included.
var packagesUsed = []struct{ requirement, script, want string }{
	{"requests==2.34.2", `
import requests
session = requests.Session()
session.headers["X-Token"] = "secret"
request = session.prepare_request(requests.Request(
    "POST", "https://example.invalid/a b?x=1", params={"y": "ä"}, json={"n": [1, 2]}, auth=("user", "pass")))
try:
    session.get("http://127.0.0.1:1/", timeout=1)
    sent = "sent"
except requests.ConnectionError as error:
    sent = type(error).__name__
result = [request.method, request.url, request.headers["Authorization"], request.headers["X-Token"], request.body.decode(), sent]`,
		`["POST", "https://example.invalid/a%20b?x=1&y=%C3%A4", "Basic dXNlcjpwYXNz", "secret", "{\"n\": [1, 2]}", "ConnectionError"]`},
	{"httpx==0.28.1", `
import httpx
def app(request):
    return httpx.Response(201, json={"path": request.url.path, "q": request.url.params["q"], "sent": request.read().decode()})
with httpx.Client(transport=httpx.MockTransport(app), base_url="https://example.invalid/api/") as client:
    first = client.post("items", params={"q": "1 2"}, content=b"body").raise_for_status().json()
async def asynchronously():
    async with httpx.AsyncClient(transport=httpx.MockTransport(app)) as client:
        return (await client.get("https://example.invalid/?q=z")).json()
second = await asynchronously()
result = [first, second]`,
		`[{"path": "/api/items", "q": "1 2", "sent": "body"}, {"path": "/", "q": "z", "sent": ""}]`},
	{"urllib3==2.8.0", `
import io, urllib3
from urllib3.filepost import encode_multipart_formdata
url = urllib3.util.parse_url("http://me:pw@example.invalid:8080/x/../y?q#f")
body, kind = encode_multipart_formdata({"file": ("a.txt", b"content")}, boundary="b")
answer = urllib3.HTTPResponse(body=io.BytesIO(b"abc"), status=200, headers={"A": "1"}, preload_content=False)
try:
    urllib3.PoolManager(retries=False).request("GET", "http://127.0.0.1:1/", timeout=1)
    sent = "sent"
except urllib3.exceptions.HTTPError as error:
    sent = "refused"
result = [url.host, url.port, url.request_uri, body.decode(), kind, answer.read(2).decode(), urllib3.Retry(3).increment("GET", "/").total, sent]`,
		`["example.invalid", 8080, "/y?q", "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--b--\r\n", ` +
			`"multipart/form-data; boundary=b", "ab", 2, "refused"]`},
	{"jinja2==3.1.6", `
import jinja2, markupsafe, markupsafe._speedups
env = jinja2.Environment(autoescape=True, loader=jinja2.DictLoader({
    "base": "<ul>{% block items %}{% endblock %}</ul>",
    "page": "{% extends 'base' %}{% block items %}{% for i in items if i %}<li>{{ loop.index }}: {{ i|upper }}</li>{% endfor %}{% endblock %}"}))
try:
    env.from_string("{% for %}")
except jinja2.TemplateSyntaxError as error:
    failed = error.message
result = [env.get_template("page").render(items=["a<b", "", "c"]), str(markupsafe.escape("<&>\"'")), markupsafe._speedups.__name__,
    markupsafe.Markup("<b>%s</b>") % "<i>", failed]`,
		`["<ul><li>1: A&lt;B</li><li>2: C</li></ul>", "&lt;&amp;&gt;&#34;&#39;", "markupsafe._speedups", "<b>&lt;i&gt;</b>", "Expected an expression, got 'end of statement block'"]`},
	{"attrs==26.1.0", `
import attr, attrs
@attrs.define(order=True)
class Point:
    x: int = attrs.field(converter=int, validator=attrs.validators.ge(0))
    y: list = attrs.field(factory=list)
try:
    Point(-1)
    failed = None
except ValueError as error:
    failed = str(error)
result = [attrs.asdict(Point("3", [Point(1)])), repr(attrs.evolve(Point(1), x=2)), Point(1) < Point(2), failed, attr.__name__]`,
		`[{"x": 3, "y": [{"x": 1, "y": []}]}, "Point(x=2, y=[])", true, "'x' must be >= 0: -1", "attr"]`},
	{"pyyaml==6.0.4", `
import datetime, yaml
data = yaml.safe_load("""
a: &anchor [1, 2.5, ~, yes]
b: {<<: {c: d}, e: *anchor}
when: 2024-02-29
text: |
  two
  lines
""")
try:
    yaml.safe_load("!!python/object/apply:os.system [x]")
    failed = None
except yaml.constructor.ConstructorError as error:
    failed = error.problem
result = [data["a"], data["b"], data["when"] == datetime.date(2024, 2, 29), data["text"], yaml.safe_dump({"k": ["v", {"ä": 1}]}, allow_unicode=True), failed]`,
		`[[1, 2.5, null, true], {"c": "d", "e": [1, 2.5, null, true]}, true, "two\nlines\n", "k:\n- v\n- ä: 1\n", ` +
			`"could not determine a constructor for the tag 'tag:yaml.org,2002:python/object/apply:os.system'"]`},
	{"regex==2026.11.19", `
import regex, regex._regex
result = [
    regex.findall(r"\p{Lu}\p{Ll}+", "Ärger und Übung, Иван"),
    regex.fullmatch(r"\((?:[^()]|(?R))*\)", "(a(b)c)") is not None,
    regex.search(r"(?:hello){e<=1}", "say helo").group(), regex.split(r"(?<=x)", "axbx", flags=regex.V1),
    regex.match(r"(?:(?P<w>\w)+,?)+", "ab,c").captures("w"), [len(c) for c in regex.findall(r"\X", "e\u0301a")]]`,
		`[["Ärger", "Übung", "Иван"], true, "helo", ["ax", "bx", ""], ["a", "b", "c"], [2, 1]]`},
	{"msgpack==1.2.4", `
import msgpack, msgpack._cmsgpack
class Point: pass
unpacker = msgpack.Unpacker()
unpacker.feed(msgpack.packb([1, "x"]) + msgpack.packb({"k": b"\0"}))
try:
    msgpack.unpackb(b"\x93\x01")
    failed = None
except ValueError as error:
    failed = type(error).__name__
result = [msgpack.packb({"a": [1, -1, 2**63, 1.5, None, True]}).hex(), [repr(o) for o in unpacker],
    msgpack.unpackb(msgpack.packb(msgpack.Timestamp(1, 5)), timestamp=1), failed, msgpack.Packer.__module__]`,
		`["81a1619601ffcf8000000000000000cb3ff8000000000000c0c3", ["[1, 'x']", "{'k': b'\\x00'}"], 1.000000005, "ValueError", "msgpack._cmsgpack"]`},
	{"python-dateutil==4.0.0", `
import datetime
from dateutil import parser, relativedelta, rrule, tz
day = datetime.date(2024, 1, 31)
berlin = datetime.datetime(2024, 7, 1, 12, tzinfo=tz.gettz("Europe/Berlin"))
result = [parser.parse("Thu Sep 25 10:36:28 2003 -0300").isoformat(), str(day + relativedelta.relativedelta(months=1)),
    [str(d.date()) for d in rrule.rrule(rrule.MONTHLY, count=3, byweekday=rrule.FR(-1), dtstart=datetime.datetime(2024, 1, 1))],
    berlin.utcoffset().total_seconds()]`,
		`["2003-09-25T10:36:28-03:00", "2024-02-29", ["2024-01-26", "2024-02-23", "2024-03-29"], 7200.0]`},
	{"rich==15.0.0", `
import io
from rich.console import Console
from rich.markdown import Markdown
from rich.syntax import Syntax
from rich.table import Table
out = io.StringIO()
console = Console(file=out, width=24, force_terminal=True, color_system="standard", legacy_windows=False)
table = Table("a", "b")
table.add_row("1", "[red]2[/red]")
console.print(table)
console.print(Markdown("# T\n\n* item"))
console.print(Syntax("x = 1", "python"))
text = out.getvalue()
result = ["┃ a ┃ b ┃" in text.replace("\x1b[1m", "").replace("\x1b[0m", ""), "\x1b[31m2\x1b[0m" in text, "item" in text, text.count("\n") > 8]`,
		`[true, true, true, true]`},
	{"networkx==3.7", `
import networkx as nx
g = nx.Graph()
g.add_weighted_edges_from([("a", "b", 4), ("b", "c", 1), ("a", "c", 2), ("c", "d", 7)])
karate = nx.karate_club_graph()
result = [nx.dijkstra_path(g, "a", "b"), nx.shortest_path_length(g, "a", "d", weight="weight"),
    sorted(tuple(sorted(e)) for e in nx.minimum_spanning_edges(g, data=False)),
    nx.number_connected_components(karate), nx.diameter(karate), nx.is_planar(nx.complete_graph(5)), list(nx.topological_sort(nx.DiGraph([(1, 2), (0, 1)])))]`,
		`[["a", "c", "b"], 9, [["a", "c"], ["b", "c"], ["c", "d"]], 1, 5, false, [0, 1, 2]]`},
	{"sympy==1.14.0", `
from sympy import *
x, y = symbols("x y")
result = [str(integrate(sin(x)**2, x)), str(solve([x + y - 3, x - y - 1])), str(factor(x**4 - 1)), str(limit(sin(x)/x, x, 0)),
    str(Matrix([[1, 2], [3, 4]]).inv()), str(N(pi, 30)), str(factorint(2**61 + 1)), str(dsolve(Function("f")(x).diff(x) - x)), latex(sqrt(x)/2)]`,
		`["x/2 - sin(x)*cos(x)/2", "{x: 2, y: 1}", "(x - 1)*(x + 1)*(x**2 + 1)", "1", "Matrix([[-2, 1], [3/2, -1/2]])", "3.14159265358979323846264338328", ` +
			`"{3: 1, 768614336404564651: 1}", "Eq(f(x), C1 + x**2/2)", "\\frac{\\sqrt{x}}{2}"]`},
	{"pydantic==1.10.27", `
import datetime, pydantic
class Item(pydantic.BaseModel):
    name: str = pydantic.Field(min_length=2)
    when: datetime.date
    tags: list[str] = []
class Order(pydantic.BaseModel):
    items: list[Item]
order = Order.parse_raw('{"items": [{"name": "ab", "when": "2024-02-29", "tags": [1]}]}')
try:
    Order(items=[{"name": "a", "when": "never"}])
    failed = None
except pydantic.ValidationError as error:
    failed = [list(e["loc"]) for e in error.errors()]
result = [order.json(), failed, Item.schema()["required"]]`,
		`["{\"items\": [{\"name\": \"ab\", \"when\": \"2024-02-29\", \"tags\": [\"1\"]}]}", [["items", 0, "name"], ["items", 0, "when"]], ["name", "when"]]`},
}

// buildWheel has the native packages built: by a test of another package, if it
// came first.
func buildWheel(t *testing.T) func(context.Context, resolve.Missing) (string, error) {
	return func(ctx context.Context, missing resolve.Missing) (string, error) {
		result, err := wheelbuild.Wheel(ctx, wheelbuild.Options{Target: missing.Requirement(), CacheDir: testbundle.Dir(t)})
		if err != nil {
			return "", err
		}
		t.Logf("built %s in %v", result.File, result.Took)
		return result.Path, nil
	}
}

// Packages from their names, native ones built on the way, each used in a
// sandbox of its own.
func TestPackages(t *testing.T) {
	options := build.Options{Preimport: []string{"requests", "jinja2", "regex", "msgpack"}, BuildWheel: buildWheel(t)}
	for _, p := range packagesUsed {
		options.Packages = append(options.Packages, p.requirement)
	}
	rt, err := eryx.Open(t.Context(), testbundle.Build(t, "packages", options), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer rt.Close()
	for _, p := range packagesUsed {
		name, version, _ := strings.Cut(p.requirement, "==")
		t.Run(name, func(t *testing.T) {
			result, err := rt.Execute(t.Context(), p.script, nil)
			if err != nil {
				t.Fatalf("%v\n%s", err, result.Stderr)
			}
			if diff := cmp.Diff(p.want, string(result.Value)); diff != "" {
				t.Errorf("(-want +got)\n%s\n%s", diff, result.Stderr)
			}
			result, err = rt.Execute(t.Context(), "import importlib.metadata as m, sys\nresult = m.version(sys.argv[1])", &eryx.SandboxConfig{Args: []string{"x", name}})
			if err != nil || string(result.Value) != `"`+version+`"` {
				t.Errorf("importlib.metadata has version %s, %v", result.Value, err)
			}
		})
	}
	// Native code is metered and ended as Python is.
	t.Run("cancellation", func(t *testing.T) {
		start := time.Now()
		_, err := rt.Execute(t.Context(), `import regex; regex.match(r"(a|aa)+c\1", "a" * 64 + "b")`, &eryx.SandboxConfig{Timeout: 200 * time.Millisecond})
		var limit *eryx.LimitError
		if !errors.As(err, &limit) || time.Since(start) > 10*time.Second {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
	})
}

// What cannot be had is refused before anything is built, with what is offered
// and what to do.
func TestPackagesThatCannotBeHad(t *testing.T) {
	for _, c := range []struct {
		requirement string
		says        []string
	}{
		{"lxml==6.1.3", []string{"lxml: no usable wheel", "wasi_wasm32", "manylinux", "eryx-build wheel lxml"}},
		{"pydantic>=2.14", []string{"pydantic-core", "no usable wheel", "required by pydantic", "eryx-build wheel pydantic-core"}},
		{"requests==0.0.1a1", []string{"requests", "no version meets ==0.0.1a1"}},
	} {
		t.Run(c.requirement, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "out.eryx")
			_, err := build.Bundle(t.Context(), build.Options{Packages: []string{c.requirement}, CacheDir: testbundle.Dir(t), Output: output})
			var missing *resolve.MissingError
			if !errors.As(err, &missing) {
				t.Fatalf("%T: %v", err, err)
			}
			if i := slices.IndexFunc(c.says, func(text string) bool { return !strings.Contains(err.Error(), text) }); i >= 0 {
				t.Errorf("%v\ndoes not say %q", err, c.says[i])
			}
		})
	}
}
