/**
 * The export through which the host hands data over. The compiler driver adds this file to every applet as a second entry;
 * who drives `asc` by hand writes `export { alloc } from '@w3bstream/applet-sdk'` instead.
 */
export { alloc } from './memory'
