// The process that floods: what its target is comes as arguments, and it goes on, flood after flood, until it is ended.
import { floods } from '@citypresence/sim/hostile/floods'

const [port = '0', adminPort = '0', token = '', turn = '0'] = process.argv.slice(2)
process.on('disconnect', () => process.exit(0))
for (let round = (Number(turn) * 4) % floods.length; ; round = (round + 1) % floods.length)
  await floods[round]?.play({ port: Number(port), adminPort: Number(adminPort), token })
