/**
 * Keeps every reading of the stations. When the last of a day's readings is in, the day is closed: a day of heavy rain earns
 * the station's owner one token for each millimetre.
 */
import { abi, chain, env, event, json, log, publisher, sql, uint256 } from '@w3bstream/applet-sdk'
import { bytes, keccak256 } from '@w3bstream/applet-sdk'
import { dayIn, tenthsIn } from './reading'

const SENSORS = ['temp_min', 'temp_max', 'wind', 'precipitation']
/** Of the token; a tenth of one is 10^17 of its smallest unit. */
const DECIMALS = 18

const STORED = 0
const KNOWN_ALREADY = 1
const CLOSED_THE_DAY = 2
const PAID = 3
const NOT_A_READING = -1
const NOT_ITS_OWN = -2

/**
 * `{"station":"seattle-2012","day":"2012-01-02","sensor":"precipitation","value":10.9}`, in any order, also repeated. Only a
 * station's own device reports for it: anybody can write a name into a message, and money hangs on it.
 */
export function reading(rid: i32): i32 {
  const message = event.parse(rid)
  const claimed = message.get('station').toText()
  const day = dayIn(message.get('day'))
  const sensor = message.get('sensor').toText()
  const tenths = tenthsIn(message.get('value'))
  if (claimed.length == 0 || day == null || !SENSORS.includes(sensor) || tenths == null) {
    log.error('not a reading: ' + event.text(rid).substring(0, 200))
    return NOT_A_READING
  }
  const station = publisher.publisherKey(rid)
  if (station == null || station != claimed) {
    log.error('a reading of ' + claimed.substring(0, 200) + ' from ' + (station == null ? 'no device' : station))
    return NOT_ITS_OWN
  }
  const before = readingsOf(station, day)
  if (has(before, sensor)) return KNOWN_ALREADY
  sql.execute('INSERT INTO readings (station, day, sensor, tenths) VALUES (?, ?, ?, ?)', [
    sql.textParam(station),
    sql.textParam(day),
    sql.textParam(sensor),
    sql.i32Param(tenths.value),
  ])
  if (before.length + 1 < SENSORS.length) return STORED
  return closeDay(station, day, sensor == 'precipitation' ? tenths.value : tenthsOf(before, 'precipitation'))
}

function readingsOf(station: string, day: string): json.Value[] {
  return sql.query('SELECT sensor, tenths FROM readings WHERE station = ? AND day = ?', [
    sql.textParam(station),
    sql.textParam(day),
  ])
}

function has(readings: json.Value[], sensor: string): bool {
  for (let i = 0; i < readings.length; i++) if (readings[i].get('sensor').toText() == sensor) return true
  return false
}

function tenthsOf(readings: json.Value[], sensor: string): i32 {
  for (let i = 0; i < readings.length; i++) {
    if (readings[i].get('sensor').toText() == sensor) return readings[i].get('tenths').toI32()
  }
  throw new Error('no reading of ' + sensor)
}

/** @param precipitation of the whole day, tenths of a millimetre */
function closeDay(station: string, day: string, precipitation: i32): i32 {
  const heavyRain = I32.parseInt(env.need('HEAVY_RAIN'))
  const rewarded = precipitation >= heavyRain ? precipitation : 0
  sql.execute('INSERT INTO days (station, day, precipitation, rewarded) VALUES (?, ?, ?, ?)', [
    sql.textParam(station),
    sql.textParam(day),
    sql.i32Param(precipitation),
    sql.i32Param(rewarded),
  ])
  if (rewarded == 0) return CLOSED_THE_DAY
  pay(station, day, rewarded)
  return PAID
}

/** The claim says what is paid for: the contract pays each claim once, however often a transaction is repeated. */
function pay(station: string, day: string, tenths: i32): void {
  const owner = json.parse(env.need('OWNERS')).get(station).toText()
  if (owner.length == 0) throw new Error('OWNERS names no owner of ' + station)
  const claim = keccak256(bytes.fromText('heavy-rain/' + station + '/' + day))
  const amount = uint256.units(tenths.toString(), DECIMALS - 1)
  const mint = new abi.Call('mintOnce(bytes32,address,uint256)').bytes32(claim).address(owner).uint(amount)
  const hash = chain.sendTransaction(u32(I32.parseInt(env.need('CHAIN_ID'))), env.need('TOKEN'), '0', mint.toHex())
  log.info(station + ' ' + day + ': ' + tenths.toString() + ' tenths of a token to ' + owner + ' in ' + hash)
}
