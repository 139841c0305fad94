// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Disputes} from "src-contracts/court/Disputes.sol";
import {Exits} from "src-contracts/court/Exits.sol";
import {Receipts} from "src-contracts/court/Receipts.sol";

/// @title The Market's part for exits
/// @notice What happens when work does not go the straight way: lapses, cancellations, closings, challenges; and the receipts of what did. The Market delegates their calls straight to it, so it acts on the Market's storage
/// under the Market's address.
/// @dev WHY: 24 KiB; see `MarketExtension`. A call that ends here crosses one seam, about 2,700 gas.
contract MarketExits is Exits, Receipts, Disputes {
    /// @param token DPU; the Market checks that it has the same.
    constructor(address token) MarketCore(token, address(0xdead)) {}
}
