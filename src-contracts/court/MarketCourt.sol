// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Exits} from "src-contracts/court/Exits.sol";
import {Panels} from "src-contracts/court/Panels.sol";

/// @title The Market's third part
/// @notice What happens when work does not go the straight way, or several nodes must agree: lapses, cancellations, panels. The extension
/// delegates to it what it does not know itself, so it acts on the Market's storage under the Market's address.
/// @dev WHY: 24 KiB; see `MarketExtension`. A call that ends here crosses two seams, about 5,400 gas.
contract MarketCourt is Exits, Panels {
    /// @param token DPU; the extension checks that it has the same.
    constructor(address token) MarketCore(token, address(0xdead)) {}
}
