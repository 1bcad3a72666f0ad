#!/usr/bin/env node
/** The `cairn` program, built from src/server/cli/main-cairn.ts. */
import '../dist/server/cli/main-cairn.js';
