import { setTimeout as sleep } from "node:timers/promises";
import { cancel } from "@plantain/core/job/cancel";
import { announcing } from "@plantain/core/webhook/announce";
import { type DeliverPorts, deliver } from "@plantain/core/webhook/deliver";
import type { Lane } from "@plantain/core/webhook/endpoint";
import type { DeliveryId } from "@plantain/core/webhook/ids";
import type { DeliveryQueue } from "@plantain/core/webhook/ports";
import { systemClock as clock, systemRandom as random } from "@plantain/functions/runtime/ambient";
import { httpClient } from "@plantain/http/client";
import { dialTcp } from "@plantain/http/dial";
import { dnsServer } from "@plantain/http/fixtures/dns-server";
import { listen } from "@plantain/http/fixtures/servers";
import { memoryDeliveries } from "@plantain/memory/deliveries";
import { memoryEndpoints } from "@plantain/memory/endpoints";
import { memoryJobs } from "@plantain/memory/jobs";
import { sampleJob, samplePolicy, sampleRequest } from "@plantain/memory/samples";
import { sampleEndpoint } from "@plantain/memory/webhook-samples";
import { expect, it } from "vitest";

const slots: Readonly<Record<Lane, number>> = { fast: 30, slow: 20 };

/** Both lanes of `deliver` as the deployed queues drive it, in one process, with the real client. */
function lanes(ports: Omit<DeliverPorts, "deliveryQueue">) {
  const waiting: Record<Lane, DeliveryId[]> = { fast: [], slow: [] };
  const busy: Record<Lane, number> = { fast: 0, slow: 0 };
  const faults: unknown[] = [];
  const work = (lane: Lane): void => {
    while (busy[lane] < slots[lane]) {
      const id = waiting[lane].shift();
      if (id === undefined) return;
      busy[lane] += 1;
      void deliver({ ...ports, deliveryQueue: queue }, id, lane)
        .catch((error: unknown) => faults.push(error))
        .finally(() => {
          busy[lane] -= 1;
          work(lane);
        });
    }
  };
  const queue: DeliveryQueue = {
    async send({ id }, lane, delayMs) {
      setTimeout(() => {
        waiting[lane].push(id);
        work(lane);
      }, delayMs).unref();
    },
  };
  return { queue, busy, faults };
}

it("delivers to a healthy endpoint within 100 ms while twenty others hang in DNS, connect, headers and drip", async () => {
  const names = await dnsServer((name) => (name.startsWith("dns") ? "silence" : ["93.184.215.14"]));
  const mute = await listen(() => undefined);
  const dripping = await listen((_, response) => {
    response.writeHead(200);
    const drip = setInterval(() => response.write("x"), 200);
    response.once("close", () => clearInterval(drip));
  });
  const arrived = new Map<string, number>();
  const healthy = await listen((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      arrived.set(JSON.parse(body).job, performance.now());
      response.end();
    });
  });
  const sender = httpClient({
    allowLoopback: true,
    nameServers: [names.address],
    // No address is reached that isn't on this machine: connections to others hang, as to a host that drops packets
    dial: (to, signal) =>
      to.addresses.every(({ address }) => address === "127.0.0.1" || address === "::1")
        ? dialTcp(to, signal)
        : new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
  });
  const deliveries = memoryDeliveries();
  const endpoints = memoryEndpoints(deliveries);
  const render = async (_: unknown, record: { job: { id: string } } | null) =>
    JSON.stringify({ job: record?.job.id });
  const truth = memoryJobs(deliveries);
  const { queue, busy, faults } = lanes({
    deliveries,
    endpoints,
    jobs: truth,
    sender,
    clock,
    random,
    policy: samplePolicy,
    render,
  });
  const announce = { endpoints, deliveryQueue: queue, policy: samplePolicy };
  const jobs = announcing(truth, announce, (error) => faults.push(error));
  const end = async (tenant: string) => {
    const job = sampleJob({ tenant });
    await jobs.create(job, sampleRequest(), null, clock.now());
    const endedAt = performance.now();
    await cancel({ jobs, clock, policy: samplePolicy }, tenant, job.id);
    return { id: job.id, endedAt };
  };

  const events = ["job.canceled"] as const;
  const urls = Array.from({ length: 5 }, (_, at) => [
    `https://dns${at}.example.com/`,
    `https://connect${at}.example.com/`,
    `http://127.0.0.1:${mute}/`,
    `http://127.0.0.1:${dripping}/`,
  ]).flat();
  for (const [at, url] of urls.entries())
    await endpoints.create(sampleEndpoint({ tenant: `hanging-${at}`, url, events }));
  await endpoints.create(sampleEndpoint({ tenant: "healthy", url: `http://127.0.0.1:${healthy}/`, events }));

  const ended = new Map<string, number>();
  for (let turn = 0; turn < 60; turn += 1) {
    // The others have a job each before anybody knows that they hang, and many more once that is known
    if (turn === 0 || (turn >= 35 && turn % 5 === 0))
      await Promise.all(urls.map((_, at) => end(`hanging-${at}`)));
    const { id, endedAt } = await end("healthy");
    ended.set(id, endedAt);
    await sleep(100);
  }
  await sleep(200);
  expect(faults).toEqual([]);
  const took = [...ended].map(([id, at]) => (arrived.get(id) ?? Number.POSITIVE_INFINITY) - at);
  const sorted = took.toSorted((a, b) => a - b);
  expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThan(100);
  expect(sorted.at(-1)).toBeLessThan(1_000);
  expect(busy.slow).toBeGreaterThanOrEqual(10);
  await names.close();
}, 30_000);
