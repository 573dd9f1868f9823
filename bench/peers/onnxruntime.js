// onnxruntime.js - a peer: inference by onnxruntime-node, on the files of caelum export.
//
//   node onnxruntime.js THREADS SECONDS NAME.onnx infer.bN...
//
// The package's folder must be found: NODE_PATH. Prints "NAME.infer.bN.tT PICTURES img/s".
'use strict';
const ort = require('onnxruntime-node');
const path = require('path');

const side = 32, pictures = 1000;

// Smooth noise: a running mean of white noise, stretched into [0, 1].
function noise(batch, channels) {
    const values = new Float32Array(batch * channels * side * side);
    let mean = 0.5;
    for (let i = 0; i < values.length; i++) {
        mean += 0.1 * (Math.random() - mean);
        values[i] = Math.min(1, Math.max(0, 0.5 + 3 * (mean - 0.5)));
    }
    return new ort.Tensor('float32', values, [batch, channels, side, side]);
}

// Pictures a second; several batches take turns.
async function rate(session, batches, batch, seconds) {
    const start = performance.now();
    for (let k = 1; ; k++) {
        await session.run({ input: batches[k % batches.length] });
        const elapsed = (performance.now() - start) / 1000;
        if (elapsed > seconds) return k * batch / elapsed;
    }
}

async function main() {
    const [threads, seconds, file, ...figures] = process.argv.slice(2);
    for (const figure of figures) {
        const batch = Number(figure.split('.b')[1]);
        const session = await ort.InferenceSession.create(file, {
            intraOpNumThreads: Number(threads),
            interOpNumThreads: 1,
            graphOptimizationLevel: 'all',
            executionMode: 'sequential',
            freeDimensionOverrides: { batch, height: side, width: side },
            logSeverityLevel: 4,
        });
        const channels = session.inputMetadata[0].shape[1];
        const count = batch === 1 ? 20 : Math.floor(pictures / batch);
        const batches = Array.from({ length: count }, () => noise(batch, channels));
        await rate(session, batches, batch, seconds / 3);
        const value = await rate(session, batches, batch, seconds);
        console.log(`${path.parse(file).name}.${figure}.t${threads} ${value.toFixed(0)} img/s`);
    }
}

main().catch((error) => {
    console.error(`onnxruntime: ${error.message}`);
    process.exit(1);
});
