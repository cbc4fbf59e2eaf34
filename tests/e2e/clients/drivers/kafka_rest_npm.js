// A program that uses the npm package kafka-rest: it does what the plan on its standard input says, and prints what it
// was answered as one JSON document.
"use strict";

const KafkaRest = require("kafka-rest");
const plan = JSON.parse(require("fs").readFileSync(0, "utf8"));
const kafka = new KafkaRest({url: plan.url, headers: plan.headers});

// The client calls back with an error or an answer; of what it wraps an answer in, `raw` is what the server said.
const ask = (act) => new Promise((resolve) => act((error, answer) => resolve(error ? failure(error) : plain(answer))));
const failure = (error) => ({name: error.name, status: error.status, message: error.message, body: error.data});
const plain = (answer) => Array.isArray(answer) ? answer.map(plain) : answer.raw === undefined ? answer : answer.raw;

async function look() {
    const topic = kafka.topic(plan.topic);
    return {
        brokers: await ask((done) => kafka.brokers.list(done)),
        topics: await ask((done) => kafka.topics.list(done)),
        topic: await ask((done) => topic.get(done)),
        partitions: await ask((done) => topic.partitions.list(done)),
        partition: await ask((done) => topic.partition(1).get(done)),
    };
}

// Messages are produced as the plan has them, those of bytes from base64; one answer for each request.
async function produce() {
    const schemas = (plan.schemas || []).map((schema) => new KafkaRest.AvroSchema(schema));
    const target = plan.partition === undefined ? kafka.topic(plan.topic) : kafka.topicPartition(plan.topic, plan.partition);
    const answers = [];
    for (const messages of plan.requests) {
        const given = plan.bytes ? messages.map((text) => Buffer.from(text, "base64")) : messages;
        answers.push(await ask((done) => target.produce(...schemas, given, done)));
    }
    return answers;
}

({look, produce})[plan.act]().then((seen) => console.log(JSON.stringify(seen)));
