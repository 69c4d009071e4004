/** A project file to begin with: every section that most projects use, the others as comments. */
export function projectFileTemplate(name: string, applet: string): string {
  return `version: 1
name: ${name}
description: ''
public: false

applets:
  - name: ${applet}
    source: ${applet}
    routes:
      - { event: DEFAULT, handler: start }

devices:
  - { key: device-1, name: First device }

env: {}

# tables:
#   readings:
#     columns:
#       id: { type: int64, autoincrement: true }
#       device: text
#       value: float64
#     unique: [[id]]
#     index: [[device]]

# limits: { wallClockMs: 5000 }
# settings: { rollbackOnNegative: false }
# cron:
#   - { schedule: '@hourly', event: HOUR }
# traffic: { device: { events: 100, per: 1m } }
# chains: { operator: default, required: [4690] }
`
}
