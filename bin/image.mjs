#!/usr/bin/env node
import { handOver } from './platform/dependencies.mjs'

await handOver('image')
