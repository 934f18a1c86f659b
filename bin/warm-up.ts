import { bundleWorkflows } from '#bin/workflow-bundle.ts'

// Makes what every start would make first, where it can be kept: the workflows as one file, the pages as JavaScript, and all of it
// compiled. An image is built with it.
await bundleWorkflows()
await import('#api/app.ts')
