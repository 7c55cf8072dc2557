// One INT8 processing element: multiplies what passes through, keeps the sum, and hands results down on a drain step.
//
// On the first drain step the PE sends its own sum down and holds what comes from above; on every later one it sends
// what it holds. So the sum of array row R-1-t leaves the last row on drain step t, and the sum register is free as
// soon as the first drain step has passed.
module os_pe
  import os_types::*;
(
    input  logic               clock,
    input  logic               reset,
    input  tag_t               step_in,
    input  logic signed [ 7:0] activation_in,
    input  logic signed [ 7:0] weight_in,
    input  tag_t               drain_in,
    input  logic signed [31:0] result_in,
    output tag_t               step_out,
    output logic signed [ 7:0] activation_out,
    output logic signed [ 7:0] weight_out,
    output tag_t               drain_out,
    output logic signed [31:0] result_out
);
  /*verilator no_inline_module*/

  logic signed [31:0] sum;
  logic signed [31:0] hold;
  logic signed [15:0] product;

  assign product = activation_in * weight_in;

  always_ff @(posedge clock) begin
    activation_out <= activation_in;
    weight_out     <= weight_in;
    step_out       <= step_in;
    drain_out      <= drain_in;
    if (step_in.valid) sum <= (step_in.first ? 32'sd0 : sum) + 32'(product);
    if (drain_in.valid) begin
      result_out <= drain_in.first ? sum : hold;
      hold       <= result_in;
    end
    if (reset) begin
      step_out  <= '0;
      drain_out <= '0;
    end
  end

endmodule
