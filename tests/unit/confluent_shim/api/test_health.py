"""What a platform asks of a process."""

from tests.parts import memory_shim


def test_live_and_ready_answer() -> None:
    with memory_shim() as shim:
        assert shim.client.get("/-/live").get_json() == {"status": "live"}
        assert shim.client.get("/-/ready").get_json() == {"status": "ready", "parts": {"store": "ok"}}
        assert set(shim.client.get("/-/ready?verbose").get_json()["parts"]) == {
            "store",
            "registry default",
            "kafka default",
            "bindings",
        }


def test_ready_tells_which_topics_and_subjects_of_bindings_are_gone() -> None:
    with memory_shim() as shim:
        shim.bind("orders")
        shim.bind("events")
        assert shim.client.get("/-/ready?verbose").get_json()["parts"]["bindings"] == "ok"
        shim.sink.delete_topic("orders")
        shim.registry.delete("events-value")
        shim.bind("clicks")
        answer = shim.client.get("/-/ready?verbose")
    assert answer.status_code == 200, "one topic is no reason to take all others out of service"
    told = answer.get_json()["parts"]["bindings"]
    assert told == "events: subject events-value gone; orders: topic gone"


def test_readiness_is_lost_with_the_topic_map_only() -> None:
    with memory_shim() as shim:
        shim.services.store.close()
        answer = shim.client.get("/-/ready")
    assert answer.status_code == 503
    assert answer.get_json()["status"] == "not ready"


def test_metrics_count_requests_and_records_by_outcome_and_reason() -> None:
    with memory_shim() as shim:
        shim.bind("orders")
        shim.send("orders", {"id": 1}, {"id": 2})
        shim.send("orders", {"id": "x"})
        shim.produce("orders", b'{"records":[{"value":{"id":1,"id":2}}]}')
        text = shim.client.get("/-/metrics").text
    assert "confluent_shim_table_staleness_seconds 0.0" in text
    assert 'confluent_shim_records_total{outcome="written",topic="orders"} 2.0' in text
    assert 'confluent_shim_rejected_records_total{reason="type",topic="orders"} 1.0' in text
    assert 'confluent_shim_rejected_records_total{reason="duplicate-key",topic="orders"} 1.0' in text
    assert 'confluent_shim_requests_total{route="produce_v2",status="400"} 2.0' in text


def test_every_answer_carries_a_request_id_the_clients_own_when_it_sent_one() -> None:
    with memory_shim() as shim:
        assert shim.client.get("/-/live", headers={"X-Request-Id": "abc"}).headers["X-Request-Id"] == "abc"
        assert len(shim.client.get("/-/live").headers["X-Request-Id"]) == 16


def test_what_is_not_there_answers_as_confluents_router_does() -> None:
    with memory_shim() as shim:
        missing = shim.client.get("/no/such/path")
        wrong_method = shim.client.put("/topics/orders")
    assert missing.get_json(force=True) == {"error_code": 404, "message": "HTTP 404 Not Found"}
    assert wrong_method.get_json(force=True) == {"error_code": 405, "message": "HTTP 405 Method Not Allowed"}
    assert "Content-Type" not in missing.headers
    assert "Content-Type" not in wrong_method.headers
