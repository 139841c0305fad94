// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Exits} from "src-contracts/extension/Exits.sol";
import {Governed} from "src-contracts/extension/Governed.sol";
import {JobViews} from "src-contracts/extension/JobViews.sol";
import {Ledger} from "src-contracts/extension/Ledger.sol";

/// @title The Market's second half
/// @notice Everything that is not the hot path: money in and out, nodes and stake, exits, governance, views. The Market delegates to it, so
/// it acts on the Market's storage under the Market's address; called directly it owns nothing and can do nothing.
/// @dev WHY: 24 KiB does not hold the whole Market. The seam is where the fewest calls are: nothing between post and settle crosses it, and
/// what crosses pays 2,600 gas for the cold code plus the copy of its calldata.
contract MarketExtension is Ledger, Exits, JobViews, Governed {
    /// @param token DPU; the Market checks that it has the same.
    constructor(address token) MarketCore(token, address(0xdead)) {}
}
