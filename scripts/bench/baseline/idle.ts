/** The runtime alone, waiting. */
setInterval(() => undefined, 2 ** 30)
process.stdout.write('0\n')
