#!/usr/bin/env node
/** The `cairn-server` program, built from src/server/cli/main-server.ts. */
import '../dist/server/cli/main-server.js';
