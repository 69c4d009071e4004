import { adminPassword, openWorld, smallApplet } from './testing/world.ts'
import { vectorsSuite } from './vectors.suite.ts'

vectorsSuite('without a log', async () => ({ ...(await openWorld()), adminPassword, applet: smallApplet }))
