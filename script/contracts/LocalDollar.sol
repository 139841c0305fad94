// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

/// @notice A stand-in for a stablecoin on local and test networks: six decimals, permit, all of it minted to one holder.
contract LocalDollar is ERC20, ERC20Permit {
    constructor(address holder) ERC20("Local Dollar", "USDL") ERC20Permit("Local Dollar") {
        _mint(holder, 1_000_000_000e6);
    }

    function decimals() public pure override returns (uint8) {
        return 6;
    }
}
