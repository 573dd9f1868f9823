// onnxruntime.js - a peer: inference by onnxruntime-node, on the files of pytorch.py --onnx.
//
//   node onnxruntime.js --models DIR --threads 2 --infer 1,250 --seconds 0.3 NETWORK...
//
// The package's folder must be found: NODE_PATH. Prints "NETWORK.infer.bN.tT PICTURES img/s".
'use strict';
const ort = require('onnxruntime-node');

const side = 32, pictures = 1000;

function readOptions(words) {
    const options = { models: '.', threads: '2', infer: '1,250', seconds: '0.3', networks: [] };
    for (let i = 0; i < words.length; i++) {
        if (words[i].startsWith('--')) options[words[i].slice(2)] = words[++i];
        else options.networks.push(words[i]);
    }
    return options;
}

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
        await session.run({ x: batches[k % batches.length] });
        const elapsed = (performance.now() - start) / 1000;
        if (elapsed > seconds) return k * batch / elapsed;
    }
}

// Networks here take a picture, or its luminance; the session does not tell how many channels.
async function channelsOf(session) {
    try {
        await session.run({ x: noise(1, 3) });
        return 3;
    } catch {
        return 1;
    }
}

async function main() {
    const options = readOptions(process.argv.slice(2)), seconds = Number(options.seconds);
    for (const network of options.networks) {
        const session = await ort.InferenceSession.create(`${options.models}/${network}.onnx`, {
            intraOpNumThreads: Number(options.threads),
            interOpNumThreads: 1,
            graphOptimizationLevel: 'all',
            executionMode: 'sequential',
            logSeverityLevel: 4,
        });
        const channels = await channelsOf(session);
        for (const batch of options.infer.split(',').filter(Boolean).map(Number)) {
            const count = batch === 1 ? 20 : Math.floor(pictures / batch);
            const batches = Array.from({ length: count }, () => noise(batch, channels));
            await rate(session, batches, batch, seconds / 3);
            const value = await rate(session, batches, batch, seconds);
            console.log(`${network}.infer.b${batch}.t${options.threads} ${value.toFixed(0)} img/s`);
        }
    }
}

main().catch((error) => {
    console.error(`onnxruntime: ${error.message}`);
    process.exit(1);
});
