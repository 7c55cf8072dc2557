// Collects the beats of a weight row: a row is complete with the beat that brings its last bits.
module weight_port #(
    parameter int ROW_BITS = 32
) (
    input logic clock,
    input logic reset,

    input logic [        15:0] port_bits,  // bits that one beat brings, in the low bits of `beat`; the others are 0
    input logic                taken,
    input logic [ROW_BITS-1:0] beat,

    output logic                complete,
    output logic [ROW_BITS-1:0] row
);

  logic [ROW_BITS-1:0] collected;
  logic [15:0] filled_bits;

  assign row = collected | (beat << filled_bits);
  assign complete = taken && filled_bits + port_bits >= 16'(ROW_BITS);

  always_ff @(posedge clock)
    if (reset || complete) begin
      collected   <= '0;
      filled_bits <= '0;
    end else if (taken) begin
      collected   <= row;
      filled_bits <= filled_bits + port_bits;
    end

endmodule
