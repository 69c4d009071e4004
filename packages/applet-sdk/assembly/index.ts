/** Kit for W3bstream applets. One name per family of host functions; `alloc` is for who drives the compiler by hand. */
import * as abi from './abi'
import * as api from './api'
import * as bytes from './bytes'
import * as chain from './chain'
import * as env from './env'
import * as event from './event'
import * as json from './json'
import * as kv from './kv'
import * as log from './log'
import * as metrics from './metrics'
import * as mqtt from './mqtt'
import * as publisher from './publisher'
import * as sql from './sql'
import * as uint256 from './uint256'

export { abi, api, bytes, chain, env, event, json, kv, log, metrics, mqtt, publisher, sql, uint256 }
export { keccak256 } from './keccak'
export { alloc } from './memory'
