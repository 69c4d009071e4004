import type { ProjectChange } from '../../project/definition.ts'
import type { DesiredApplet, DesiredAsset } from './state.ts'

/** A line of the diff. */
export interface PlanLine {
  readonly sign: '+' | '~' | '-'
  /** Such as `applet station`. */
  readonly what: string
  /** What exactly changes; empty when the whole thing comes or goes. */
  readonly detail: string
}

/** An applet whose module is sent. */
export interface Upload {
  /** Undefined: created. */
  readonly appletId?: string
  readonly applet: DesiredApplet
  /** The applet's routes go along with the module, because they may name handlers that only the new one has. */
  readonly withStrategies: boolean
}

/** A part of a plan, about one section of the file. */
export interface PlanPart {
  readonly changes: readonly ProjectChange[]
  readonly lines: readonly PlanLine[]
  readonly uploads?: readonly Upload[]
  /** Files that the changes name, sent before them. */
  readonly files?: readonly DesiredAsset[]
}

export const nothing: PlanPart = { changes: [], lines: [] }
