/** Bytes of a message, as in all rows. */
const payloadBytes = 200

/**
 * A station's report of 200 bytes of JSON. The station's number stands at a fixed place (`stationAt`), where load generators
 * write that of the connection, so that devices differ.
 */
export const payload: Buffer = makePayload()
export const stationAt = payload.indexOf('0000')

function makePayload(): Buffer {
  const report = {
    station: '0000',
    temperature: 21.5,
    humidity: 40.25,
    pressure: 1013.1,
    wind: { speed: 3.4, direction: 270 },
    position: { latitude: 52.52, longitude: 13.405 },
    note: '',
  }
  report.note = 'x'.repeat(payloadBytes - JSON.stringify(report).length)
  return Buffer.from(JSON.stringify(report))
}
