// The worker thread of LLaVA-OneVision: loads one model and works off the requests of its verifier one after the other.
// Errors go back as messages.

import { parentPort, workerData } from 'node:worker_threads';

import { CheckpointError, RuntimeError } from '../../core/errors.js';
import { passGate } from '../../runtime/exit-gate.js';
import { type EncodedQuestion, type LlavaModel, loadLlava } from './in-process-model.js';
import type {
  LlavaCall,
  LlavaReplies,
  LlavaReply,
  LlavaRequest,
  LlavaWorkerData,
  WireError,
} from './in-process-protocol.js';

if (!parentPort) throw new Error('This module is the entry of a worker thread.');
const port = parentPort;
const { gate } = workerData as LlavaWorkerData;

let model: LlavaModel | undefined;
const prompts = new Map<number, EncodedQuestion>();
let towerRuns = 0;

function loaded(): LlavaModel {
  if (!model) throw new RuntimeError('LLaVA has not been loaded');
  return model;
}

async function handle(request: LlavaRequest): Promise<LlavaReplies[keyof LlavaReplies]> {
  switch (request.kind) {
    case 'load':
      model = await passGate(gate, () => loadLlava(request.folder, request.threads));
      return undefined;
    case 'prepare':
      prompts.set(request.prompt, await passGate(gate, () => loaded().encode(request.question)));
      return undefined;
    case 'score': {
      const question = prompts.get(request.prompt);
      if (!question) throw new RuntimeError('The prompt of this judge has been closed.');
      towerRuns++;
      return passGate(gate, () => loaded().answer(question, request.image));
    }
    case 'drop':
      prompts.delete(request.prompt);
      return undefined;
    case 'stats':
      return { prompts: prompts.size, sessions: model?.sessions ?? 0, towerRuns };
    case 'close':
      await passGate(gate, async () => model?.release());
      return undefined;
  }
}

function wireError(error: unknown): WireError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error) };
  const { name, message } = error;
  return error instanceof CheckpointError
    ? { name, file: error.file, message: message.slice(error.file.length + 2) }
    : { name, message };
}

async function answer({ call, request }: LlavaCall): Promise<void> {
  let reply: LlavaReply;
  try {
    reply = { call, result: await handle(request) };
  } catch (error) {
    reply = { call, error: wireError(error) };
  }
  port.postMessage(reply);
  if (request.kind === 'close') port.close();
}

let tail: Promise<void> = Promise.resolve();
port.on('message', (call: LlavaCall) => {
  tail = tail.then(() => answer(call));
});
