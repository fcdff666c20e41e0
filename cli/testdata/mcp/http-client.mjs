// A client made with the official SDK over streamable HTTP, which sends the tokens that it
// is given.
//
//   node http-client.mjs URL HELD CALLS
//
// HELD goes with the list of tools. CALLS is a JSON array of {name, arguments, _meta}. It
// says on a line each what came of it.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

const [url, held, calls] = process.argv.slice(2);
const client = new Client({ name: "test", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const { tools } = await client.listTools({ _meta: { "io.github.whittle-auth/token": held } });
console.log("tools:", tools.map((tool) => tool.name).sort().join(" "));
for (const call of JSON.parse(calls)) {
  try {
    const result = await client.callTool(call);
    console.log(`${call.name}: ${result.isError ? "failed" : "done"}: ${result.content[0].text}`);
  } catch (e) {
    console.log(`${call.name}: error ${e.code}: ${e.message} ${JSON.stringify(e.data)}`);
  }
}
await client.close();
