// Decides when: whether a weight row, and whether a streamed row, may enter in this cycle; and into which buffer.
//
// A buffer is full from the issue of its tile's last row to the issue of the last pass that uses it: all else follows
// the tags. Serial loading also waits until that pass has left the last PE, which the datapath tells.
module packed_w4_controller
  import packed_w4_pkg::*;
(
    input logic    clock,
    input logic    reset,
    input policy_t policy,

    input logic tile_loaded,    // the last row of a tile is issued in this cycle
    input logic tile_streamed,  // the last pass of a fold is issued in this cycle
    input logic tile_drained,   // the last pass of a fold has left PE(R-1,C-1)

    output logic load_allowed,
    output logic load_buffer,
    output logic stream_allowed,
    output logic stream_buffer
);

  logic [1:0] full;
  logic draining;
  logic two_buffers;

  assign two_buffers = policy == LOAD_DOUBLE;
  assign load_allowed = !full[load_buffer] && !(policy == LOAD_SERIAL && draining && !tile_drained);
  assign stream_allowed = full[stream_buffer];

  always_ff @(posedge clock)
    if (reset) begin
      full          <= '0;
      draining      <= '0;
      load_buffer   <= '0;
      stream_buffer <= '0;
    end else begin
      if (tile_loaded) begin
        full[load_buffer] <= 1'b1;
        load_buffer <= load_buffer ^ two_buffers;
      end
      if (tile_streamed) begin
        full[stream_buffer] <= 1'b0;
        stream_buffer <= stream_buffer ^ two_buffers;
      end
      if (tile_streamed) draining <= 1'b1;
      else if (tile_drained) draining <= 1'b0;
    end

endmodule
