import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { expectedRewards } from '../expected.ts'
import { readStations, sensors, weatherFile } from '../weather.ts'

const file = `location,date,precipitation,temp_max,temp_min,wind,weather
Seattle,2012-01-02,20.0,10.6,2.8,4.5,rain
Seattle,2012-01-01,19.9,12.8,-5.0,4.7,rain
New York,2013-03-01,100.3,12.8,5.0,4.7,rain
Seattle,2012-03-01,31.5,1.0,0.0,2.2,snow
`

describe('what the stations send', () => {
  it('is each measurement as a message, in the order of time, by place and year', () => {
    const stations = readStations(file, 366)
    expect(stations.map(({ key, readings }) => [key, readings.length])).toEqual([
      ['seattle-2012', 12],
      ['new-york-2013', 4],
    ])
    expect(stations[0]?.readings.slice(0, 5).map(({ day, sensor, value }) => [day, sensor, value])).toEqual([
      ['2012-01-01', 'temp_min', -5],
      ['2012-01-01', 'temp_max', 12.8],
      ['2012-01-01', 'wind', 4.7],
      ['2012-01-01', 'precipitation', 19.9],
      ['2012-01-02', 'temp_min', 2.8],
    ])
  })

  it('is the whole data set: eight stations, more than ten thousand readings, each a number with one decimal', async () => {
    const stations = readStations(await readFile(weatherFile(), 'utf8'), 366)
    const readings = stations.flatMap((station) => station.readings)
    expect(stations).toHaveLength(8)
    expect(readings).toHaveLength(2922 * sensors.length)
    for (const { value } of readings) expect(`${value}`).toMatch(/^-?\d+(\.\d)?$/)
  })

  it('ends after the days that were asked for', () => {
    expect(readStations(file, 2).map(({ readings }) => readings.length)).toEqual([8, 4])
  })
})

describe('what the owners must have', () => {
  it('is a token for each millimetre of the days with 20 mm and more', () => {
    expect(expectedRewards(file, 366)).toEqual(
      new Map([
        ['seattle-2012', { amount: 51_500_000_000_000_000_000n, days: ['2012-01-02', '2012-03-01'] }],
        ['new-york-2013', { amount: 100_300_000_000_000_000_000n, days: ['2013-03-01'] }],
      ]),
    )
  })

  it('counts days from the first of January, in leap years too', () => {
    expect(expectedRewards(file, 60).get('seattle-2012')?.days).toEqual(['2012-01-02'])
    expect(expectedRewards(file, 61).get('seattle-2012')?.days).toEqual(['2012-01-02', '2012-03-01'])
    expect(expectedRewards(file, 59).size).toBe(1)
    expect(expectedRewards(file, 60).size).toBe(2)
  })
})
