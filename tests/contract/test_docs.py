"""The docs tell of everything that is there, and of nothing that is not."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

import click
import msgspec
import pytest
from confluent_kafka import KafkaError
from prometheus_client.metrics import MetricWrapperBase

from confluent_shim.cli.program import program
from confluent_shim.configuration import described
from confluent_shim.error_table import ANSWERS
from confluent_shim.records import Delivery
from confluent_shim.sinks.delivery_errors import failed
from confluent_shim.sinks.kafka import DEFAULTS, FIXED
from confluent_shim.telemetry import Metrics
from tests.parts import JSON, memory_shim
from topic_map import Binding

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(
    page for page in ROOT.rglob("*.md") if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)
KNOWN_HOSTS = {
    "127.0.0.1",
    "localhost",
    "json-schema.org",
    "keepachangelog.com",
    "semver.org",
    "registry",
    "registry.example.com",
    "rest-proxy",
    "shim",
}
V2_ROUTES = {"POST /topics/{topic}", "POST /topics/{topic}/partitions/{partition}"}
V3_ROUTES = {f"POST /v3/clusters/{{cluster_id}}/topics/{{topic}}/{name}" for name in ("records", "records:batch")}
PRODUCE_ROUTES = V2_ROUTES | V3_ROUTES
"""Served in front of Flask, so its map does not know them."""


def read(page: str) -> str:
    return (DOCS / page).read_text()


def section(text: str, heading: str) -> str:
    """Return what stands under `heading`, down to the next heading of its rank or a higher one."""
    rank = len(heading) - len(heading.lstrip("#"))
    begin = f"\n{text}".index(f"\n{heading}\n") + len(heading)
    end = re.compile(rf"^#{{1,{rank}}} ", re.MULTILINE).search(text, begin)
    return text[begin : end.start() if end else len(text)]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in `text`, heads left out."""
    lines = text.splitlines()
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        if line.startswith("|") and "---" not in line and "---" not in following:
            yield [cell.strip() for cell in line.strip("|").split("|")]


def names(cell: str) -> list[str]:
    """Return what stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


class TestSettings:
    def test_the_table_is_that_of_the_code(self) -> None:
        """Every setting has its row with default, meaning and variable, and no row is left over."""
        expected = [_setting_row(*setting) for setting in described()]
        table = section(read("configuration.md"), "## Every setting")
        assert [line for line in table.splitlines() if line.startswith("| `")] == expected

    @pytest.mark.parametrize("keys", [DEFAULTS, FIXED], ids=["defaults", "fixed"])
    def test_what_the_sink_sets_for_librdkafka_is_told(self, keys: Mapping[str, str]) -> None:
        """Each key stands there with its value."""
        told = {names(row[0])[0]: names(row[1])[0] for row in rows(section(read("configuration.md"), _LIBRDKAFKA))}
        assert told == {**DEFAULTS, **FIXED}
        assert keys.items() <= told.items()


_LIBRDKAFKA = "## Keys of librdkafka"


def _setting_row(key: str, default: str, meaning: str) -> str:
    variable = f"SHIM_{key.replace('.', '__').upper()}{'__KEY' if key.endswith('.kafka') else ''}"
    return f"| `{key}` | {f'`{default}`' if default else ''} | {meaning} | `{variable}` |"


class TestRoutes:
    def test_every_route_has_its_section_and_every_section_its_route(self) -> None:
        """Method and path of each heading are served, and nothing else is."""
        with memory_shim() as shim:
            served = {
                f"{method} {rule.rule.replace('<', '{').replace('>', '}')}"
                for rule in shim.client.application.url_map.iter_rules()
                for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
            }
        assert set(_routes_told()) == served | PRODUCE_ROUTES

    @pytest.mark.parametrize("route", sorted(V2_ROUTES))
    def test_the_produce_routes_are_there(self, route: str) -> None:
        """They take records with POST alone."""
        path = route.removeprefix("POST ").replace("{topic}", "t").replace("{partition}", "0")
        with memory_shim() as shim:
            shim.bind("t")
            assert shim.client.put(path).status_code == 405
            assert shim.produce(path.removeprefix("/topics/"), {"records": [{"value": {"id": 1}}]}).status_code == 200

    @pytest.mark.parametrize("route", sorted(V3_ROUTES))
    def test_so_are_those_of_v3(self, route: str) -> None:
        """They take records with POST alone."""
        path = route.removeprefix("POST ").replace("{cluster_id}", "c").replace("{topic}", "t")
        with memory_shim() as shim:
            assert shim.client.put(path).status_code == 405
            assert shim.client.post(path, headers={"Content-Type": "text/plain"}).status_code == 415

    def test_every_route_has_an_example(self) -> None:
        """A section shows a request and its answer."""
        text = read("http-api.md")
        assert [route for route in _routes_told() if "$ curl" not in section(text, f"### `{route}`")] == []


def _routes_told() -> list[str]:
    return re.findall(r"^### `([A-Z]+ /[^`]*)`$", read("http-api.md"), re.MULTILINE)


class TestErrors:
    def test_every_answer_has_its_row(self) -> None:
        """Status, code and the errors behind them are those of the table in the code."""
        told = {
            (int(row[0]), int(row[1]), name)
            for row in rows(section(read("errors.md"), "## Whole requests"))
            for name in names(row[2])
        }
        assert told == {(status, code, error.__name__) for error, (status, code) in ANSWERS.items()}

    def test_only_429_and_503_tell_to_retry(self) -> None:
        """The last column agrees with the header that is sent."""
        retried = {row[0]: row[-1] for row in rows(section(read("errors.md"), "## Whole requests"))}
        assert {status for status, retry in retried.items() if retry == "yes"} == {"429", "503"}

    def test_every_code_of_a_record_has_its_row(self) -> None:
        """What stands in `offsets` is told apart from what a request is answered with."""
        told = {int(row[0]) for row in rows(section(read("errors.md"), "## Records that Kafka did not take"))}
        assert told == {delivery.error_code for delivery in _failures()}

    def test_every_code_that_the_v3_api_has_for_another_of_v2_has_its_row(self) -> None:
        """The table has both."""
        table = rows(section(read("errors.md"), "## Records of the v3 API"))
        told = {(int(row[0]), int(row[-1])) for row in table}
        assert told == {(each.error_code_v3, each.error_code) for each in _failures() if each.error_code_v3}


def _failures() -> list[Delivery]:
    numbers = [number for number in vars(KafkaError).values() if isinstance(number, int)]
    return [failed(KafkaError(number)) for number in numbers]


class TestOperating:
    def test_every_metric_has_its_row_with_its_labels(self) -> None:
        """The table names each metric as Prometheus shows it."""
        told = {names(row[0])[0]: tuple(names(row[1])) for row in rows(section(read("operating.md"), "## Metrics"))}
        assert told == dict(_metrics())

    def test_no_page_names_a_metric_that_is_not_there(self) -> None:
        """Alarms and examples are written by names that exist."""
        known = set(dict(_metrics()))
        for page in PAGES:
            found = re.findall(r"`(confluent_shim_[a-z_]+)`", page.read_text())
            assert [name for name in found if name not in known] == [], page

    def test_every_field_of_a_log_line_has_its_row(self, caplog: pytest.LogCaptureFixture) -> None:
        """A produce request's line has no field that the page does not tell."""
        told = {name for row in rows(section(read("operating.md"), "## The log")) for name in names(row[0])}
        caplog.set_level("INFO", "confluent_shim.access")
        with memory_shim() as shim:
            shim.bind("t")
            shim.produce("t", {"records": [{"value": {"id": 1}}, {"value": {}}]}, Prefer="handling=lenient")
            shim.bind("watched", mode="observe")
            shim.send("watched", {}, content_type=JSON)
        shown = {name for record in caplog.records for name in vars(record).get("facts", ())}
        assert told - {"time", "level", "logger", "message", "trace"} == shown


def _metrics() -> Iterator[tuple[str, tuple[str, ...]]]:
    for metric in vars(Metrics()).values():
        if isinstance(metric, MetricWrapperBase):
            family = next(iter(metric.describe()))
            yield family.name + ("_total" if family.type == "counter" else ""), tuple(metric._labelnames)


class TestBindings:
    def test_every_field_has_its_row_with_its_default(self) -> None:
        """The table is the row that the store keeps."""
        told = {
            names(row[0])[0]: names(row[1])[0] if row[1] else "" for row in rows(section(read("bindings.md"), _FIELDS))
        }
        defaults = msgspec.to_builtins(Binding(topic="t"))
        expected = {name: msgspec.json.encode(value).decode() for name, value in defaults.items()}
        assert told == {**expected, "topic": ""}


_FIELDS = "## Fields"


class TestCommands:
    def test_every_command_has_its_section_and_every_section_its_command(self) -> None:
        """The headings are the tree of commands."""
        assert set(_commands_told()) == {path for path, _ in _commands(program, "confluent-shim")}

    def test_every_option_is_told_where_its_command_is(self) -> None:
        """A section names all options of its command and no others."""
        text = read("cli.md")
        for path, command in _commands(program, "confluent-shim"):
            told = set(re.findall(r"`(--[a-z-]+)`", section(text, f"### `{path}`")))
            assert told == set(_options(command)), path

    def test_no_page_shows_an_option_that_is_not_there(self) -> None:
        """What is copied from a page works."""
        known = {option for _, command in _commands(program, "confluent-shim") for option in _options(command)}
        for page in PAGES:
            shown = [line for line in page.read_text().splitlines() if "confluent-shim " in line]
            used = {option for line in shown for option in re.findall(r" (--[a-z-]+)", line)}
            assert used <= known | {"--help"}, page

    def test_no_page_shows_a_command_that_is_not_there(self) -> None:
        """Neither does one call a command by another name."""
        groups = {path.split()[1] for path, _ in _commands(program, "confluent-shim")}
        for page in PAGES:
            shown = set(re.findall(r"(?:bin/|`|\$ )confluent-shim ([a-z]+)", page.read_text()))
            assert shown <= groups, page


def _commands_told() -> list[str]:
    return re.findall(r"^### `(confluent-shim [a-z -]+)`$", read("cli.md"), re.MULTILINE)


def _commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that does something: a group only when it can be called alone."""
    if isinstance(command, click.Group):
        if command.invoke_without_command:
            yield path, command
        for name, child in command.commands.items():
            yield from _commands(child, f"{path} {name}")
    else:
        yield path, command


def _options(command: click.Command) -> Iterator[str]:
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            yield next(option for option in parameter.opts if option.startswith("--"))


class TestDecisions:
    RECORDS = tuple(sorted((DOCS / "decisions").glob("[0-9]*.md")))

    def test_they_are_numbered_without_a_gap(self) -> None:
        """A number is never used twice and never lost."""
        assert [int(record.name[:4]) for record in self.RECORDS] == list(range(1, len(self.RECORDS) + 1))

    def test_all_are_listed_with_their_titles(self) -> None:
        """The list has each record under its own title."""
        told = dict(re.findall(r"^\| \[\d{4}\]\(([^)]+)\) \| (.*) \|$", read("decisions/README.md"), re.MULTILINE))
        titles = {record.name: record.read_text().partition("\n")[0][len("# 0001 ") :] for record in self.RECORDS}
        assert told == titles

    @pytest.mark.parametrize("record", RECORDS, ids=lambda record: str(record.stem))
    def test_each_says_why(self, record: Path) -> None:
        """Context, options, choice, consequences, in this order."""
        headings = re.findall(r"^## (.*)$", record.read_text(), re.MULTILINE)
        assert headings == ["Context", "Options", "Choice", "Consequences"]


class TestClients:
    def test_each_client_that_is_fetched_has_its_row_with_its_version(self) -> None:
        """What a reader finds there is what the tests ran."""
        table = section(read("compatibility.md"), "## Clients that are tested")
        told = {(names(row[0])[0], row[0].partition("(")[2][:-1]): row[1] for row in rows(table) if names(row[0])}
        of_npm = json.loads((CLIENTS / "package.json").read_text())["dependencies"]
        of_pypi = [
            re.findall(rf"^({page.stem})==(\S+)", page.read_text(), re.MULTILINE) for page in CLIENTS.glob("*.txt")
        ]
        expected = {(name, "npm"): version for name, version in of_npm.items()}
        expected |= {(name, "PyPI"): version for ((name, version),) in of_pypi}
        assert told == expected


CLIENTS = ROOT / "tests" / "e2e" / "clients" / "packages"


def test_the_service_s_readme_tells_of_each_of_its_modules() -> None:
    """Its table has every module and folder, and none that is not there."""
    package = ROOT / "confluent_shim"
    told = {name for row in rows((package / "README.md").read_text()) for name in names(row[0])}
    there = {each.stem for each in package.iterdir() if each.suffix == ".py" or (each / "__init__.py").exists()}
    assert told == there - {"__init__", "__main__"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
class TestPages:
    def test_links_lead_somewhere(self, page: Path) -> None:
        """Each relative link is a file that is there, and a heading in it."""
        for target in re.findall(r"\[[^\]]*\]\(([^)\s]+)\)", _prose(page)):
            if urlsplit(target).scheme:
                continue
            path, _, anchor = unquote(target).partition("#")
            file = (page.parent / path).resolve() if path else page
            assert file.exists(), target
            assert not anchor or anchor in _anchors(file), target

    def test_addresses_are_of_hosts_that_belong_there(self, page: Path) -> None:
        """No page names the host of a package registry, or any other that the reader's network may lack."""
        assert _hosts(page.read_text()) <= KNOWN_HOSTS


@pytest.mark.parametrize(
    "name",
    [
        "pyproject.toml",
        "setup.cfg",
        "Makefile",
        "requirements.lock",
        "requirements-dev.lock",
        ".ci/run",
        "tests/e2e/clients/packages/package-lock.json",
    ],
)
def test_no_build_file_names_a_host(name: str) -> None:
    """Where packages come from is the machine's affair."""
    text = (ROOT / name).read_text()
    assert _hosts(text) == set()
    assert "index-url" not in text.replace("--no-emit-index-url", "")


def _prose(page: Path) -> str:
    """Return the page without its blocks of code."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _hosts(text: str) -> set[str]:
    return {urlsplit(found).hostname or "" for found in re.findall(r"https?://[^\s\"'`<>)\]$]+", text)} - {""}
