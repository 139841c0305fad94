// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Jobs} from "src-contracts/Jobs.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {StakeSurrogate} from "src-contracts/StakeSurrogate.sol";
import {delegateAll} from "src-contracts/core/Delegation.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {MarketExtension} from "src-contracts/extension/MarketExtension.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @title The compute market
/// @notice Escrow, stake, claims, results and payment at one address, with the interface `IMarket`. The hot path is here (`Jobs`); every other
/// call is answered by the immutable extension, on this contract's storage.
/// @dev UPGRADE: none. The extension is fixed at deployment; a new version is a new contract that users move to.
contract Market is Jobs, Multicall {
    /// @notice Thrown when the extension was made for another token.
    error ExtensionMismatch(address extension);

    /// @notice The code of everything but the hot path.
    address public immutable EXTENSION;

    /// @param token DPU.
    /// @param extension A `MarketExtension` for the same token.
    /// @param owner_ The timelock.
    /// @param treasury_ Receives collected fees and the treasury's part of slashes.
    /// @param initial The first version of the parameters.
    constructor(address token, address extension, address owner_, address treasury_, Params memory initial)
        MarketCore(token, owner_)
    {
        require(MarketExtension(extension).TOKEN() == token, ExtensionMismatch(extension));
        EXTENSION = extension;
        _surrogateImplementation = address(new StakeSurrogate(address(this), token));
        _setTreasury(treasury_);
        _addParams(initial);
        _gate.minStake = uint32(Parameters.MIN_STAKE / 1 ether);
        emit MinStakeSet(Parameters.MIN_STAKE);
        _unbonding = Parameters.UNBONDING;
        emit UnbondingSet(Parameters.UNBONDING);
        _allowed[token] = true;
        emit CurrencyAllowed(token, true);
        _gate.runtimes = 1 << 1; // wasm
        emit RuntimeAllowed(1, true);
    }

    /// @dev Delegates to the extension; returns or reverts with what it says. A selector that neither knows reverts there.
    fallback() external {
        delegateAll(EXTENSION);
    }
}
