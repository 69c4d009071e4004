/** What host functions answer to the guest. Published SDKs only test for zero, but their users print the number. */
export const status = {
  ok: 0,
  resourceNotFound: 2,
  dataToGuest: 5,
  dataFromGuest: 6,
  hostInternal: 7,
  envKeyNotFound: 8,
  noDatabase: 9,
  failed: -1,
} as const

/** The numbers of guests for how grave a log line is. */
export const logLevel = { error: 2, warning: 3, info: 4, debug: 5 } as const
