"""What ROOT's SOFIE can read of an ONNX file."""

# The operators that the ONNX parser of TMVA SOFIE registers (root-project/root, tmva/sofie_parsers, 2026), most of them
# in single precision.
SOFIE = frozenset(
    {
        "Abs", "Add", "Atan", "AveragePool", "BatchNormalization", "Cast", "Clip", "Concat", "Constant",
        "ConstantOfShape", "Conv", "ConvTranspose", "Cos", "Div", "Einsum", "Elu", "Equal", "Erf", "Exp", "Expand",
        "EyeLike", "Flatten", "Floor", "GRU", "Gather", "GatherND", "Gelu", "Gemm", "GlobalAveragePool", "Greater",
        "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "If", "InstanceNormalization", "LSTM",
        "LayerNormalization", "LeakyRelu", "Less", "LessOrEqual", "Log", "MatMul", "Max", "MaxPool", "Mean", "Min",
        "Mod", "Mul", "Neg", "NonZero", "Not", "Pad", "Pow", "RNN", "RandomNormal", "RandomUniform", "Range",
        "Reciprocal", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum", "ReduceSumSquare", "Relu",
        "Reshape", "ScatterElements", "ScatterND", "Selu", "Shape", "Sigmoid", "Sin", "Slice", "Softmax",
        "Softplus", "Split", "Sqrt", "Squeeze", "Sub", "Sum", "Swish", "Tanh", "Tile", "TopK", "Transpose",
        "Unsqueeze", "Where",
    }
)  # fmt: skip
