/** The data set, `data/weather.csv` of vega-datasets: what was measured in Seattle and New York each day from 2012 to 2015. */
import { findPackageJSON } from 'node:module'
import { dirname, join } from 'node:path'

/** A column of the data set, and what a station calls its sensor. In the order in which a day yields them. */
export const sensors = ['temp_min', 'temp_max', 'wind', 'precipitation'] as const

/** One message of a station. */
export interface Reading {
  readonly station: string
  readonly day: string
  readonly sensor: (typeof sensors)[number]
  /** Degrees Celsius, metres per second or millimetres, with one decimal. */
  readonly value: number
}

/** A station stands for one place in one year. */
export interface Station {
  /** Key of its device: `new-york-2012`. */
  readonly key: string
  /** In the order of time. */
  readonly readings: readonly Reading[]
}

export function weatherFile(): string {
  const manifest = findPackageJSON('vega-datasets', import.meta.url)
  if (!manifest) throw new Error('vega-datasets is not installed: run "npm install" first')
  return join(dirname(manifest), 'data', 'weather.csv')
}

/** @param days of each year, from the first of January */
export function readStations(csv: string, days: number): Station[] {
  const [heading = '', ...lines] = csv.trim().split('\n')
  const columns = heading.split(',')
  const rows = lines.map((line) => {
    const cells = line.split(',')
    return (name: string) => cells[columns.indexOf(name)] ?? ''
  })
  const byStation = Map.groupBy(rows, (cell) => stationKey(cell('location'), cell('date')))
  return [...byStation]
    .map(([station, own]) => ({
      station,
      days: own.toSorted((a, b) => a('date').localeCompare(b('date'))).slice(0, days),
    }))
    .map(({ station, days }) => ({
      key: station,
      readings: days.flatMap((cell) =>
        sensors.map((sensor) => ({ station, day: cell('date'), sensor, value: Number(cell(sensor)) })),
      ),
    }))
}

function stationKey(location: string, date: string): string {
  return `${location.toLowerCase().replaceAll(' ', '-')}-${date.slice(0, 4)}`
}
