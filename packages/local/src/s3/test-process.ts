import { startTestServer } from "./test-server.ts";

// A server in a process of its own, for tests that kill it.
const { url } = await startTestServer({ dir: process.argv[2] ?? "" });
process.send?.(url);
