// A gRPC client without any library of gRPC or protobuf, by spec/grpc.md alone. It prints
// the digest of its message, reads a token for it, and prints the status of the call.
import http2 from 'node:http2'
import { createHash } from 'node:crypto'
import { createInterface } from 'node:readline'

const [origin, method] = process.argv.slice(2)
// fill_username, a field that the service does not know, response_size: in no library's order.
const message = Buffer.from([0x20, 1, 0xf8, 0x7f, 1, 0x10, 7])
const print = (line) => process.stdout.write(line + '\n')
const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

print(createHash('sha256').update(message).digest('hex'))
const token = (await input.next()).value

const connection = http2.connect(origin, { rejectUnauthorized: false })
const call = connection.request({
  ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers', authorization: `Bearer ${token}`,
})
let status
const done = new Promise((resolve) => {
  call.on('response', (h) => { status ??= h['grpc-status'] && `${h['grpc-status']} ${h['grpc-message']}` })
  call.on('trailers', (h) => { status = `${h['grpc-status']} ${h['grpc-message'] ?? ''}` })
  call.on('close', resolve)
})
call.resume()
const frame = Buffer.alloc(5)
frame.writeUInt32BE(message.length, 1) // after a byte that says that it is not compressed
call.end(Buffer.concat([frame, message]))
await done
connection.close()
print(status.trim())
process.exit(0)
