import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from confluent_shim.configuration import (
    described,
    effective,
    environment_without_settings,
    hand_down,
    load_settings,
    metrics_folder,
)
from confluent_shim.errors import SettingsInvalid
from confluent_shim.settings import CLOSE_SECONDS, Cluster, Secret, Settings

Load = Callable[..., Settings]
KAFKA = "SHIM_CLUSTERS__DEFAULT__KAFKA__"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from the text of a file and from variables."""

    def load(text: str = "", **variables: str) -> Settings:
        path = tmp_path / "shim.toml"
        path.write_text(text)
        return load_settings(path, variables)

    return load


def refusal(load: Load, text: str = "", **variables: str) -> str:
    with pytest.raises(SettingsInvalid) as refused:
        load(text, **variables)
    return str(refused.value)


class TestSources:
    def test_without_file_and_variables_the_defaults_hold(self) -> None:
        """Nothing is needed to get a whole set of settings."""
        assert load_settings(environ={}) == Settings()

    def test_the_file_overrides_the_defaults(self, load: Load) -> None:
        """What the file says is taken, what it does not say stays."""
        settings = load('store = "memory:"\n[server]\nport = 9000\n')
        assert (settings.store, settings.server.port, settings.server.workers) == ("memory:", 9000, 1)

    def test_a_variable_overrides_the_file(self, load: Load) -> None:
        """The environment wins, key by key."""
        settings = load("[server]\nport = 9000\nworkers = 3\n", SHIM_SERVER__PORT="9001")
        assert (settings.server.port, settings.server.workers) == (9001, 3)

    def test_the_variable_shim_config_names_the_file(self, tmp_path: Path) -> None:
        """Without an argument the file is that of SHIM_CONFIG; an argument goes before it."""
        named, given = tmp_path / "named.toml", tmp_path / "given.toml"
        named.write_text("max_violations = 7\n")
        given.write_text("max_violations = 8\n")
        environ = {"SHIM_CONFIG": str(named)}
        assert load_settings(environ=environ).max_violations == 7
        assert load_settings(given, environ).max_violations == 8

    def test_variables_of_others_are_left_alone(self, load: Load) -> None:
        """Only what begins with SHIM_ is ours."""
        assert load(HOME="/root", XSHIM_PORT="1") == load()

    def test_texts_of_variables_become_what_the_key_needs(self, load: Load) -> None:
        """Numbers are read from text; choices stay text."""
        settings = load(SHIM_WARM_UP="0.5", SHIM_LOG__FORMAT="json", SHIM_SERVER__THREADS="4")
        assert (settings.warm_up, settings.log.format, settings.server.threads) == (0.5, "json", 4)

    def test_a_worker_keeps_threads_for_what_is_not_produced(self, load: Load) -> None:
        """Four fifths of the threads serve requests that wait, unless fewer may."""
        assert load(SHIM_SERVER__THREADS="10").threads_at_a_time() == 8
        assert load(SHIM_SERVER__THREADS="2").threads_at_a_time() == 1
        assert load(SHIM_SERVER__THREADS="10", SHIM_LIMITS__REQUESTS="3").threads_at_a_time() == 3

    def test_streams_have_threads_of_their_own_and_leave_one_for_the_rest(self, load: Load) -> None:
        """A tenth of them, or what is left beside the requests; few threads keep none open."""
        assert load().streams_at_a_time() == 4
        assert load(SHIM_SERVER__THREADS="5").streams_at_a_time() == 0
        assert load(SHIM_SERVER__THREADS="5", SHIM_LIMITS__REQUESTS="3").streams_at_a_time() == 1
        assert load(SHIM_SERVER__THREADS="2").streams_at_a_time() == 0
        assert load(SHIM_LIMITS__STREAMS="0").streams_at_a_time() == 0
        assert load(SHIM_LIMITS__STREAMS="7").streams_at_a_time() == 7

    def test_a_worker_that_ends_has_time_for_its_last_answer_and_for_what_producers_hold(self, load: Load) -> None:
        assert load(SHIM_LIMITS__DEADLINE="0.5").seconds_to_stop() > 0.5 + CLOSE_SECONDS


class TestRefusals:
    def test_a_missing_file_is_named(self, tmp_path: Path) -> None:
        """A file that is asked for and not there stops the start."""
        with pytest.raises(SettingsInvalid, match=r"absent\.toml"):
            load_settings(tmp_path / "absent.toml", {})

    @pytest.mark.parametrize("limits", ["streams = 8", "requests = 30\nstreams = 10"])
    def test_requests_and_streams_that_would_hold_every_thread_are_refused(self, load: Load, limits: str) -> None:
        """One thread at least answers probes."""
        assert "must be less than server.threads, 40" in refusal(load, f"[limits]\n{limits}\n")

    def test_broken_toml_is_told_with_its_file(self, load: Load) -> None:
        """What the parser says stands behind the name of the file."""
        assert "shim.toml: " in refusal(load, "port = = 1\n")

    def test_bytes_that_are_no_text_are_told_with_their_file(self, tmp_path: Path) -> None:
        """A file that is not UTF-8 is no stack trace."""
        path = tmp_path / "latin.toml"
        path.write_bytes(b'store = "\xff"\n')
        with pytest.raises(SettingsInvalid, match=r"latin\.toml"):
            load_settings(path, {})

    @pytest.mark.parametrize(
        ("text", "unknown", "nearest"),
        [
            ("max_violation = 1\n", "max_violation", "max_violations"),
            ("[server]\nprot = 1\n", "server.prot", "port"),
            ("[clusters.a.registry]\nulr = 'x'\n", "clusters.a.registry.ulr", "url"),
        ],
    )
    def test_an_unknown_key_names_the_nearest(self, load: Load, text: str, unknown: str, nearest: str) -> None:
        """A typing error in the file is told with what was probably meant."""
        assert refusal(load, text).endswith(f"unknown key {unknown}; the nearest known one is {nearest}")

    @pytest.mark.parametrize(
        ("variable", "nearest"),
        [
            ("SHIM_STOER", "SHIM_STORE"),
            ("SHIM_SERVER__PROT", "SHIM_SERVER__PORT"),
            ("SHIM_CLUSTERS__A__REGISTRY__ULR", "SHIM_CLUSTERS__A__REGISTRY__URL"),
        ],
    )
    def test_an_unknown_variable_names_the_nearest(self, load: Load, variable: str, nearest: str) -> None:
        """A typing error in a variable is told with the variable that was probably meant."""
        assert refusal(load, **{variable: "1"}) == f"unknown variable {variable}; the nearest known one is {nearest}"

    @pytest.mark.parametrize(
        ("variable", "told"),
        [
            ("SHIM_SERVER", "SHIM_SERVER names a group"),
            ("SHIM_CLUSTERS", "SHIM_CLUSTERS names a group"),
            ("SHIM_CLUSTERS__A__KAFKA", "SHIM_CLUSTERS__A__KAFKA names a group"),
            ("SHIM_STORE__PATH", "nothing follows SHIM_STORE"),
            ("SHIM_CLUSTERS__A__KAFKA__X__Y", "nothing follows SHIM_CLUSTERS__A__KAFKA__X"),
        ],
    )
    def test_a_variable_must_lead_to_a_key(self, load: Load, variable: str, told: str) -> None:
        """A variable that stops at a group, or goes on behind a key, is told so."""
        assert told in refusal(load, **{variable: "x"})

    @pytest.mark.parametrize(
        ("text", "key"),
        [
            ('server.port = "many"\n', "server.port: "),
            ("server = 5\n", "server: "),
            ("clusters = 5\n", "clusters: "),
            ("[clusters]\na = 5\n", "clusters.a: "),
            ('[clusters.b.registry]\nttl = "x"\n', "clusters.b.registry.ttl: "),
            ('[clusters.b.kafka]\n"a.b" = [1]\n', "clusters.b.kafka.a.b: "),
            ("[clusters.b]\nkafka = 5\n", "clusters.b.kafka: "),
            ("admin_token = 5\n", "admin_token: "),
            ('log.format = "xml"\n', "log.format: "),
            ("server.port = 70000\n", "server.port: "),
            ("server.workers = 0\n", "server.workers: "),
        ],
    )
    def test_a_value_that_cannot_be_is_told_with_its_key(self, load: Load, text: str, key: str) -> None:
        """A wrong type, range or choice names the key, down to the cluster."""
        assert refusal(load, text).startswith(key)

    def test_a_variable_cannot_lie_below_a_value_of_the_file(self, load: Load) -> None:
        """A file and a variable that disagree about what a group is are no stack trace."""
        assert "SHIM_SERVER__PORT" in refusal(load, "server = 5\n", SHIM_SERVER__PORT="1")

    @pytest.mark.parametrize("token", ["", "two words", "tôken"])
    def test_an_admin_token_that_no_header_carries_is_refused(self, load: Load, token: str) -> None:
        """An empty token above all would let everybody in."""
        assert refusal(load, SHIM_ADMIN_TOKEN=token).startswith("admin_token: ")

    @pytest.mark.parametrize(
        "url", ["shim.example", "ftp://shim.example", "https://", "https://h/?q=1", "https://u:p@h"]
    )
    def test_a_public_address_that_no_link_can_begin_with_is_refused(self, load: Load, url: str) -> None:
        """Links are built by adding a path to it."""
        assert "public_url" in refusal(load, SHIM_PUBLIC_URL=url)

    @pytest.mark.parametrize("proxies", ["gateway", "10.0.0.0/40", "10.0.0.1/8"])
    def test_a_proxy_to_trust_is_an_address_or_a_network(self, load: Load, proxies: str) -> None:
        """A name would have to be looked up at each request, and might be anybody's."""
        assert "trusted_proxies" in refusal(load, SHIM_TRUSTED_PROXIES=proxies)

    @pytest.mark.parametrize("url", ["proxy:8082", "ftp://proxy", "http://proxy:99999", "http://proxy/?x"])
    def test_an_upstream_that_cannot_be_addressed_is_refused(self, load: Load, url: str) -> None:
        """It would be found out at the first request."""
        assert "clusters.default.rest_proxy.url" in refusal(load, SHIM_CLUSTERS__DEFAULT__REST_PROXY__URL=url)

    def test_consumers_cannot_pass_to_where_nobody_is(self, load: Load) -> None:
        """They need an upstream."""
        assert "rest_proxy.url" in refusal(load, SHIM_CONSUMERS="pass")
        passing = {"SHIM_CONSUMERS": "pass", "SHIM_CLUSTERS__DEFAULT__REST_PROXY__URL": "http://proxy:8082"}
        assert load(**passing).consumers == "pass"

    def test_no_cluster_at_all_is_refused(self, load: Load) -> None:
        """There would be nothing to stand before."""
        assert "clusters" in refusal(load, "[clusters]\n")

    def test_credentials_in_an_address_are_refused_without_repeating_them(self, load: Load) -> None:
        """An address is printed in logs and errors, so no password may stand in it."""
        told = refusal(load, '[clusters.a.registry]\nurl = "http://me:hunter2@registry:8081"\n')
        assert told.startswith("clusters.a.registry.url: ")
        assert "hunter2" not in told


class TestKafkaKeys:
    def test_a_variable_spells_a_dot_as_one_underscore(self, load: Load) -> None:
        """Any key of librdkafka can be given by variable."""
        settings = load(**{f"{KAFKA}BOOTSTRAP_SERVERS": "kafka:9092", f"{KAFKA}LINGER_MS": "5"})
        assert settings.clusters["default"].kafka == {"bootstrap.servers": "kafka:9092", "linger.ms": "5"}

    def test_a_variable_overrides_one_key_of_the_file(self, load: Load) -> None:
        """The other keys of the file's table stay."""
        text = '[clusters.default.kafka]\n"bootstrap.servers" = "old:1"\n"client.id" = "me"\n'
        settings = load(text, **{f"{KAFKA}BOOTSTRAP_SERVERS": "new:1"})
        assert settings.clusters["default"].kafka == {"bootstrap.servers": "new:1", "client.id": "me"}

    def test_numbers_truth_values_and_bare_dots_of_toml_are_taken(self, load: Load) -> None:
        """Whoever forgets the quotes is understood."""
        text = '[clusters.default.kafka]\nbootstrap.servers = "k:1"\nlinger.ms = 5\nsocket.keepalive.enable = true\n'
        assert load(text).clusters["default"].kafka == {
            "bootstrap.servers": "k:1",
            "linger.ms": "5",
            "socket.keepalive.enable": "true",
        }


class TestClusters:
    @pytest.mark.parametrize(
        ("names", "default"), [(["eu", "default"], "default"), (["eu", "us"], "eu"), (["default"], "default")]
    )
    def test_the_default_cluster_is_the_one_of_that_name_or_the_first(self, names: list[str], default: str) -> None:
        """It is meant where none is named."""
        assert Settings(clusters={name: Cluster() for name in names}).default_cluster() == default

    def test_there_is_one_called_default(self) -> None:
        """A binding that names no cluster finds one."""
        assert list(Settings().clusters) == ["default"]

    def test_two_clusters_are_kept_apart(self, load: Load) -> None:
        """Each has its own Kafka and registry; the same registry is told by its address."""
        text = """
            [clusters.production.kafka]
            "bootstrap.servers" = "p:1"
            [clusters.production.registry]
            url = "http://registry:8081/"
            [clusters.analytics.kafka]
            "bootstrap.servers" = "a:1"
            [clusters.analytics.registry]
            url = "http://registry:8081"
        """
        settings = load(text)
        servers = {name: cluster.kafka["bootstrap.servers"] for name, cluster in settings.clusters.items()}
        assert servers == {"production": "p:1", "analytics": "a:1"}
        assert set(settings.registries().values()) == {"http://registry:8081"}

    def test_a_variable_makes_a_cluster(self, load: Load) -> None:
        """The name of a cluster is read in small letters."""
        settings = load(SHIM_CLUSTERS__ANALYTICS__REGISTRY__URL="http://r:1")
        assert settings.clusters["analytics"].registry.url == "http://r:1"


class TestSecrets:
    SECRETS = (
        "SHIM_ADMIN_TOKEN",
        "SHIM_CLUSTERS__DEFAULT__REGISTRY__PASSWORD",
        "SHIM_CLUSTERS__DEFAULT__REST_PROXY__PASSWORD",
        f"{KAFKA}SASL_PASSWORD",
        f"{KAFKA}SSL_KEY_PASSWORD",
        f"{KAFKA}SSL_KEY_PEM",
        f"{KAFKA}SASL_OAUTHBEARER_CONFIG",
        f"{KAFKA}SASL_OAUTHBEARER_CLIENT_SECRET",
        f"{KAFKA}SASL_OAUTHBEARER_ASSERTION_PRIVATE_KEY_PASSPHRASE",
    )

    @pytest.mark.parametrize("show", [repr, str, effective, lambda settings: msgspec.json.encode(effective(settings))])
    def test_secrets_never_print(self, load: Load, show: Callable[[Settings], Any]) -> None:
        """However settings are shown, no secret of any kind is in it."""
        settings = load(**dict.fromkeys(self.SECRETS, "hunter2"))
        assert "hunter2" not in str(show(settings))

    def test_what_is_no_secret_is_shown(self, load: Load) -> None:
        """Hiding does not go so far that an operator sees nothing."""
        settings = load(**{f"{KAFKA}SASL_USERNAME": "shim", f"{KAFKA}SASL_PASSWORD": "hunter2"})
        assert effective(settings)["clusters"]["default"]["kafka"] == {
            "sasl.username": "shim",
            "sasl.password": "********",
        }
        assert "'sasl.username': 'shim'" in repr(settings)

    def test_a_secret_is_given_to_the_one_who_asks(self) -> None:
        """A secret can be compared, used as a key, and revealed."""
        secret = Secret("hunter2")
        assert secret.reveal() == "hunter2"
        assert secret == Secret("hunter2")
        assert secret != "hunter2"
        assert len({secret, Secret("hunter2"), Secret("other")}) == 2

    def test_a_secret_of_the_wrong_type_is_told_without_its_value(self, load: Load) -> None:
        """A number as a token is refused, and not repeated."""
        told = refusal(load, "admin_token = 471147\n")
        assert told.startswith("admin_token: ")
        assert "471147" not in told


class TestTheObject:
    def test_it_is_frozen(self) -> None:
        """Settings are built once; nobody changes them on the way."""
        settings = Settings()
        with pytest.raises(AttributeError):
            settings.store = "memory:"  # type: ignore[misc]
        with pytest.raises(AttributeError):
            settings.server.port = 1  # type: ignore[misc]
        assert not dataclasses.is_dataclass(settings)

    def test_every_setting_says_what_it_means(self) -> None:
        """No key comes without a description, and no key comes twice."""
        told = list(described())
        assert all(description for _, _, description in told)
        assert len({key for key, _, _ in told}) == len(told)

    def test_every_default_can_be_loaded_again(self, load: Load) -> None:
        """What `effective` shows is a set of settings, and the same one."""
        settings = load('store = "memory:"\n', **{f"{KAFKA}BOOTSTRAP_SERVERS": "k:1"})
        assert msgspec.convert(effective(settings), Settings) == settings


class TestChildren:
    def test_a_child_is_told_file_and_metrics_folder(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Worker processes read the parent's file and count where it says."""
        monkeypatch.delenv("SHIM_CONFIG", raising=False)
        monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
        monkeypatch.setenv("SHIM_CONFIG", "before")
        monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", "before")
        hand_down(None, "/metrics")
        assert metrics_folder() == "/metrics"
        hand_down("a.toml", "/metrics")
        with pytest.raises(SettingsInvalid, match=r"a\.toml"):
            load_settings()

    def test_a_child_with_a_file_of_its_own_inherits_no_settings(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The development stack is not bent by the variables of whoever starts it."""
        monkeypatch.setenv("SHIM_SERVER__PORT", "1")
        assert not [name for name in environment_without_settings() if name.startswith("SHIM_")]
