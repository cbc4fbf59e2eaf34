"""The service: a Confluent REST endpoint that holds each topic to its one schema."""
