// SPDX-License-Identifier: LGPL-2.1-or-later
// What an agent does, by a client of the protocol's authors: `PACKAGE -- COMMAND...`. Prints what it was told.
const end = process.argv.indexOf("--");
const name = process.argv[2];
const [command, ...args] = process.argv.slice(end + 1);
const server = { command, args, env: process.env, stderr: "inherit" };

async function connect() {
  if (name === "@modelcontextprotocol/sdk") {
    const { Client } = await import("@modelcontextprotocol/sdk/client/index.js");
    const { StdioClientTransport } = await import("@modelcontextprotocol/sdk/client/stdio.js");
    const client = new Client({ name: "test", version: "1" });
    const transport = new StdioClientTransport(server);
    let version;
    transport.setProtocolVersion = (said) => (version = said);
    await client.connect(transport);
    return { client, version: () => version };
  }
  const { Client } = await import("@modelcontextprotocol/client");
  const { StdioClientTransport } = await import("@modelcontextprotocol/client/stdio");
  const client = new Client({ name: "test", version: "1" }, { versionNegotiation: { mode: { pin: "2026-07-28" } } });
  await client.connect(new StdioClientTransport(server));
  return { client, version: () => client.getNegotiatedProtocolVersion() };
}

const { client, version } = await connect();
const problems = [];
client.onerror = (problem) => problems.push(String(problem));
const answers = {};
async function call(tool, parameters) {
  const result = await client.callTool({ name: tool, arguments: parameters });
  answers[`${tool} ${JSON.stringify(parameters)}`] = result.structuredContent;
  return result.structuredContent;
}

const tools = (await client.listTools()).tools.map((tool) => tool.name);
const resources = (await client.listResources()).resources.map((resource) => resource.uri);
await client.readResource({ uri: resources[0] });
await call("models", { words: "kling" });
await call("balance", {});
await call("check", { prompt: "A boat" });
const job = (await call("submit", { prompt: "A boat" })).data.job.id;
await call("submit", { prompt: "A boat" });
await call("wait", { jobs: [job] });
await call("fetch", { job, output: "boat.mp4" });
await call("fetch", { job, output: "../boat.mp4" });
await call("jobs", {});
await client.callTool({ name: "nonsense", arguments: {} }).then(
  () => problems.push("a tool that is not there was called"),
  () => {});
const agreed = version();
await client.close();
if (problems.length > 0) throw new Error(problems.join("; "));
console.log(JSON.stringify({ version: agreed, tools, resources, answers }));
