// A client made with the official SDK, as it is: it knows nothing of tokens.
//
//   node client.mjs CALLS COMMAND [ARGS..]
//
// It starts the server, lists the tools, makes the calls of the file CALLS, a JSON array
// of {name, arguments}, and says on a line each what came of it. When the server asks
// which folders it may open, it answers: all.
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import { ListRootsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

const [calls, command, ...args] = process.argv.slice(2);
const client = new Client({ name: "test", version: "1" }, { capabilities: { roots: { listChanged: true } } });
let asked = 0;
client.setRequestHandler(ListRootsRequestSchema, () => {
  asked++;
  return { roots: [{ uri: "file:///" }] };
});
await client.connect(new StdioClientTransport({ command, args, env: process.env, stderr: "inherit" }));
const { tools } = await client.listTools();
console.log("tools:", tools.map((tool) => tool.name).sort().join(" "));
for (const call of JSON.parse(readFileSync(calls))) {
  const what = `${call.name} ${JSON.stringify(call.arguments)}`;
  try {
    const result = await client.callTool(call);
    console.log(`${what}: ${result.isError ? "failed" : "done"}: ${JSON.stringify(result.content[0].text)}`);
  } catch (e) {
    console.log(`${what}: error ${e.code}: ${e.message}`);
  }
}
console.log("asked for roots:", asked);
await client.close();
