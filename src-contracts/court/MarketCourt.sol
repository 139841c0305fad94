// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Disputes} from "src-contracts/court/Disputes.sol";
import {Exits} from "src-contracts/court/Exits.sol";
import {Juries} from "src-contracts/court/Juries.sol";
import {Receipts} from "src-contracts/court/Receipts.sol";
import {Verdicts} from "src-contracts/court/Verdicts.sol";

/// @title The Market's third part
/// @notice What happens when work does not go the straight way: lapses, cancellations, disputes; and the receipts of what did. The Market delegates these calls to it, so it acts
/// on the Market's storage under the Market's address.
/// @dev WHY: 24 KiB; see `MarketExtension`. A call that ends here crosses one seam, about 2,700 gas.
contract MarketCourt is Exits, Receipts, Disputes, Juries, Verdicts {
    /// @param token DPU; the Market checks that it has the same.
    constructor(address token) MarketCore(token, address(0xdead)) {}
}
