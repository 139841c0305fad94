// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Juries} from "src-contracts/court/Juries.sol";
import {Verdicts} from "src-contracts/court/Verdicts.sol";

/// @title The Market's part for juries
/// @notice Juries and their verdicts. The Market delegates their calls straight to it, so it acts on the Market's storage under the Market's address.
/// @dev WHY: 24 KiB; see `MarketExtension`. A call that ends here crosses one seam, about 2,700 gas.
contract MarketCourt is Juries, Verdicts {
    /// @param token DPU; the Market checks that it has the same.
    constructor(address token) MarketCore(token, address(0xdead)) {}
}
