// A safetensors file: eight bytes with the header's length, the header in JSON, then the tensors.
const ARRAYS = { F32: Float32Array, U8: Uint8Array };

function parseTensors(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const found = { facts: JSON.parse(header.__metadata__.facts) };
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const bytes = buffer.slice(8 + length + entry.data_offsets[0], 8 + length + entry.data_offsets[1]);
    found[name] = { values: new ARRAYS[entry.dtype](bytes), shape: entry.shape };
  }
  return found;
}

function columnOf(sample, name) {
  const index = sample.facts.names.indexOf(name), [rows, columns] = sample.events.shape;
  if (index < 0) return null;
  const found = new Float32Array(rows);
  for (let i = 0; i < rows; i++) found[i] = sample.events.values[i * columns + index];
  return found;
}
