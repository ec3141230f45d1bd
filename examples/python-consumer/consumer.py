"""A consumer of the alerts topic that acts once per alert and keeps one case per episode.

    pip install -r requirements.txt
    KAFKA_BROKERS=kafka:9092 SCHEMA_REGISTRY_URL=http://registry:8081 python consumer.py

Reads committed records only, in a consumer group, at least once: a position is committed after the alerts below it have
been handled. What comes twice after a crash is dropped by ce_id; the alerts of an episode share a dedup key, and the
latest replaces the others. Avro in Confluent wire format: a zero byte, the schema id as four bytes, the value. With
ALERT_FORMAT=json the value is JSON, and the times in it are texts.
"""

import io
import json
import os
import signal
import sys

import fastavro
import requests
from confluent_kafka import Consumer, KafkaException

REGISTRY = os.environ.get("SCHEMA_REGISTRY_URL", "http://localhost:8081").rstrip("/")
TOPIC = os.environ.get("ALERTS_TOPIC", "cloudtrail.alerts.v1")
GROUP = os.environ.get("GROUP", "alert-consumer")

schemas = {}
handled = set()  # a database with a unique index does the same for longer than one process lives
cases = {}


def schema_of(schema_id):
    if schema_id not in schemas:
        answer = requests.get(f"{REGISTRY}/schemas/ids/{schema_id}", timeout=10)
        answer.raise_for_status()
        schemas[schema_id] = fastavro.parse_schema(json.loads(answer.json()["schema"]))
    return schemas[schema_id]


def alert_of(value):
    if value[:1] != b"\0":
        return json.loads(value)
    return fastavro.schemaless_reader(io.BytesIO(value[5:]), schema_of(int.from_bytes(value[1:5], "big")))


def handle(alert_id, alert):
    if alert_id in handled:
        return
    key = alert["dedupKey"]
    known = cases.get(key)
    # A rebalance can replay an older alert of the episode after a newer one.
    if known is None or alert["sequence"] > known["sequence"]:
        cases[key] = alert
        action = "open" if known is None else "update"
        line = {"action": action, "case": key, "severity": alert["severity"], "text": alert["explanation"]}
        print(json.dumps(line), flush=True)
    handled.add(alert_id)


def main():
    consumer = Consumer(
        {
            "bootstrap.servers": os.environ.get("KAFKA_BROKERS", "localhost:9092"),
            "group.id": GROUP,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    consumer.subscribe([TOPIC])
    running = True

    def stop(*_):
        nonlocal running
        running = False

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        while running:
            message = consumer.poll(0.5)
            if message is None:
                continue
            if message.error():
                if message.error().fatal():
                    raise KafkaException(message.error())
                print(message.error(), file=sys.stderr)
                continue
            alert = alert_of(message.value())
            headers = dict(message.headers() or [])
            alert_id = headers.get("ce_id", b"").decode() or f"{alert['dedupKey']}/{alert['sequence']}"
            handle(alert_id, alert)
            consumer.commit(message, asynchronous=False)
    finally:
        consumer.close()


if __name__ == "__main__":
    main()
