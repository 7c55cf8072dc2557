// The accumulators of one column: every pass that leaves the last PE is added to the entry that its tag names.
module packed_w4_accumulator
  import packed_w4_pkg::*;
(
    input logic clock,

    // verilator lint_off UNUSED
    input row_tag_t tag,  // who the row is, and its buffer, matter no more here
    // verilator lint_on UNUSED
    input sum_t     sum,

    input  address_t read_address,
    output sum_t     result
);
  /*verilator no_inline_module*/

  sum_t entries[2**ADDRESS_BITS];
  sum_t weighed;

  assign weighed = tag.mode == MODE_8X8 && tag.pass ? sum <<< 4 : sum;
  assign result  = entries[read_address];

  always_ff @(posedge clock)
    if (tag.valid) entries[tag.address] <= tag.first ? weighed : entries[tag.address] + weighed;

endmodule
