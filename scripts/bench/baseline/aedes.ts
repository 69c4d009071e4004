/** The embeddable broker, with passwords checked. */
import { createServer } from 'node:net'
import { Aedes } from 'aedes'

const broker = await Aedes.createBroker()
broker.authenticate = (_client, user, password, done) =>
  done(null, user === process.env.BENCH_USER && password?.toString() === process.env.BENCH_PASSWORD)
const server = createServer(broker.handle)
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as { port: number }).port}\n`))
